const lineFeed = 0x0a;

/**
 * The lines of a stream of UTF-8, without their ends and without blank ones, as they come. Not by
 * node:readline, which also breaks lines at U+2028, as JSON may hold it.
 *
 * @throws RangeError for a line of more than `bytesMax`, with its number
 */
export async function* linesOf(
  stream: AsyncIterable<Uint8Array | string> | readonly [],
  bytesMax: number,
): AsyncGenerator<{ readonly text: string; readonly number: number }> {
  let number = 1;
  let pieces: Buffer[] = [];
  let length = 0;
  const take = () => {
    const text = Buffer.concat(pieces).toString("utf8").trim();
    pieces = [];
    length = 0;
    return { text, number };
  };
  const add = (piece: Buffer) => {
    pieces.push(piece);
    length += piece.length;
    if (length > bytesMax) throw new RangeError(`line ${number} is longer than ${bytesMax} bytes`);
  };
  for await (const chunk of stream) {
    let rest = Buffer.from(chunk);
    for (let end = rest.indexOf(lineFeed); end !== -1; end = rest.indexOf(lineFeed)) {
      add(rest.subarray(0, end));
      const line = take();
      if (line.text !== "") yield line;
      number += 1;
      rest = rest.subarray(end + 1);
    }
    add(rest);
  }
  const last = take();
  if (last.text !== "") yield last;
}
