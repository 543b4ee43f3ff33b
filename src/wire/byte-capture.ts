/** Collects a stretch of bytes that may run over several chunks, up to a limit. */
export class ByteCapture {
  #parts: Buffer[] = [];
  #size = 0;
  #from: number | null = null;
  #bytesMax = 0;

  /** Begins at index `at` of the chunk at hand. Above `bytesMax` bytes only the size is kept. */
  begin(at: number, bytesMax: number): void {
    this.#parts = [];
    this.#size = 0;
    this.#from = at;
    this.#bytesMax = bytesMax;
  }

  /** Call at the end of each chunk: takes what it holds of an open stretch. */
  carry(chunk: Uint8Array): void {
    if (this.#from === null) return;
    this.#add(chunk.subarray(this.#from));
    this.#from = 0;
  }

  /** Ends before index `at` of `chunk`. `raw` is a copy, or null when there was too much. */
  finish(chunk: Uint8Array, at: number): { size: number; raw: Buffer | null } {
    this.#add(chunk.subarray(this.#from ?? at, at));
    this.#from = null;
    const raw = this.#size > this.#bytesMax ? null : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    return { size: this.#size, raw };
  }

  #add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > this.#bytesMax) this.#parts = [];
    else this.#parts.push(Buffer.from(bytes));
  }
}
