/** What Go's JSON scanner makes of the first value in a text. */
export type GoScan =
  | { readonly kind: "value"; readonly end: number }
  | { readonly kind: "error"; readonly message: string };

type Expecting = "value" | "value-or-end" | "key" | "key-or-end" | "colon" | "comma-or-end";

class SyntaxFault {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/**
 * Finds the end of the first JSON value as Go's decoder does, or the error in Go's own words
 * (Go 1.26 encoding/json scanner.go; checked byte for byte against a real Ollama 0.33).
 * What follows the value is not looked at: Ollama reads one value and ignores the rest.
 * `EOF` means that there was nothing but white space.
 */
export function scanGoJson(bytes: Uint8Array): GoScan {
  try {
    return { kind: "value", end: new GoScanner(bytes).scan() };
  } catch (fault) {
    if (fault instanceof SyntaxFault) return { kind: "error", message: fault.message };
    throw fault;
  }
}

const depthMax = 10_000;
const expected: Record<Expecting, string> = {
  value: "looking for beginning of value",
  "value-or-end": "looking for beginning of value",
  key: "looking for beginning of object key string",
  "key-or-end": "looking for beginning of object key string",
  colon: "after object key",
  "comma-or-end": "",
};

class GoScanner {
  readonly #bytes: Uint8Array;
  readonly #stack: ("object" | "array")[] = [];
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** An explicit stack, because a recursive scanner would meet Node's limit before Go's. */
  scan(): number {
    let expecting: Expecting | null = "value";
    while (expecting !== null) {
      this.#skipSpace();
      expecting = this.#step(expecting, this.#peek());
    }
    return this.#at;
  }

  #step(expecting: Expecting, char: string): Expecting | null {
    switch (expecting) {
      case "value-or-end":
        return char === "]" ? this.#close() : this.#value(char);
      case "value":
        return this.#value(char);
      case "key-or-end":
      case "key":
        if (char === "}" && expecting === "key-or-end") return this.#close();
        if (char !== '"') this.#fail(expected[expecting]);
        this.#string();
        return "colon";
      case "colon":
        if (char !== ":") this.#fail(expected.colon);
        this.#at += 1;
        return "value";
      case "comma-or-end":
        return this.#comma(char);
    }
  }

  #comma(char: string): Expecting | null {
    const inObject = this.#stack.at(-1) === "object";
    if (char === ",") {
      this.#at += 1;
      return inObject ? "key" : "value";
    }
    if (char === (inObject ? "}" : "]")) return this.#close();
    return this.#fail(inObject ? "after object key:value pair" : "after array element");
  }

  #value(char: string): Expecting | null {
    if (char === "{" || char === "[") {
      if (this.#stack.length >= depthMax) this.#fail("exceeded max depth");
      this.#stack.push(char === "{" ? "object" : "array");
      this.#at += 1;
      return char === "{" ? "key-or-end" : "value-or-end";
    }
    if (char === '"') this.#string();
    else if (char === "-" || isDigit(char)) this.#number();
    else if (char === "t") this.#literal("true");
    else if (char === "f") this.#literal("false");
    else if (char === "n") this.#literal("null");
    else this.#fail(expected.value);
    return this.#stack.length === 0 ? null : "comma-or-end";
  }

  #close(): Expecting | null {
    this.#stack.pop();
    this.#at += 1;
    return this.#stack.length === 0 ? null : "comma-or-end";
  }

  #string(): void {
    this.#at += 1;
    for (;;) {
      const byte = this.#byte();
      if (byte === 0x22) break;
      if (byte < 0x20) this.#fail("in string literal");
      this.#at += 1;
      if (byte === 0x5c) this.#escape();
    }
    this.#at += 1;
  }

  #escape(): void {
    const char = this.#peek();
    if (!'bfnrt\\/"u'.includes(char)) this.#fail("in string escape code");
    this.#at += 1;
    if (char !== "u") return;
    for (let digit = 0; digit < 4; digit += 1) {
      if (!/[0-9a-fA-F]/.test(this.#peek())) this.#fail("in \\u hexadecimal character escape");
      this.#at += 1;
    }
  }

  #number(): void {
    if (this.#peek() === "-") this.#at += 1;
    if (this.#peek() === "0") this.#at += 1;
    else this.#digits("in numeric literal");
    if (this.#peekOrEnd() === ".") {
      this.#at += 1;
      this.#digits("after decimal point in numeric literal");
    }
    if (this.#peekOrEnd().toLowerCase() === "e") {
      this.#at += 1;
      if ("+-".includes(this.#peek())) this.#at += 1;
      this.#digits("in exponent of numeric literal");
    }
  }

  #digits(context: string): void {
    if (!isDigit(this.#peek())) this.#fail(context);
    while (isDigit(this.#peekOrEnd())) this.#at += 1;
  }

  #literal(word: string): void {
    for (const char of word) {
      if (this.#peek() !== char) this.#fail(`in literal ${word} (expecting '${char}')`);
      this.#at += 1;
    }
  }

  #skipSpace(): void {
    while (this.#at < this.#bytes.length) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at += 1;
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte !== undefined) return byte;
    const isBlank = this.#bytes.every((each) => each <= 0x20);
    throw new SyntaxFault(isBlank ? "EOF" : "unexpected EOF");
  }

  #peek(): string {
    return String.fromCharCode(this.#byte());
  }

  #peekOrEnd(): string {
    return this.#at < this.#bytes.length ? this.#peek() : " ";
  }

  #fail(context: string): never {
    throw new SyntaxFault(`invalid character ${quoteByte(this.#byte())} ${context}`);
  }
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/** Go names the single byte, so a multi-byte character shows as the Latin-1 letter of its first. */
function quoteByte(byte: number): string {
  if (byte === 0x27) return "'\\''";
  if (byte === 0x22) return "'\"'";
  const named = { 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 92: "\\" }[byte];
  if (named !== undefined) return `'\\${named}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  if (byte >= 0x80 && byte < 0xa1) return `'\\u00${byte.toString(16)}'`;
  return `'${String.fromCharCode(byte)}'`;
}
