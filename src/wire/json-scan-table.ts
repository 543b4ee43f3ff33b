/**
 * The transition table of Go's JSON scanner: one row of 256 for each state, giving the next state
 * or an action. A table, because a switch over the same states ran at a third of the speed.
 * Source: Go 1.26 encoding/json/scanner.go; checked against test/fixtures/go-json.jsonl.
 */

/** States. `failed` is zero, so that what the table does not mention is an error. */
export const state = {
  failed: 0,
  beginValue: 1,
  beginElement: 2,
  beginMember: 3,
  beginFirstKey: 4,
  beginKey: 5,
  afterKey: 6,
  afterMember: 7,
  afterElement: 8,
  inString: 9,
  escape: 10,
  hex1: 11,
  hex2: 12,
  hex3: 13,
  hex4: 14,
  minus: 15,
  zero: 16,
  integer: 17,
  point: 18,
  fraction: 19,
  exponent: 20,
  exponentSign: 21,
  exponentDigits: 22,
  t: 23,
  tr: 24,
  tru: 25,
  f: 26,
  fa: 27,
  fal: 28,
  fals: 29,
  n: 30,
  nu: 31,
  nul: 32,
  ended: 33,
} as const;

/** Actions are numbered behind the states, so that one comparison tells them apart. */
export const action = {
  first: 64,
  openObject: 64,
  openArray: 65,
  closeEmpty: 66,
  close: 67,
  openKey: 68,
  colon: 69,
  endString: 70,
  endLiteral: 71,
  /** From here on the byte is looked at again. */
  firstReread: 72,
  /** The byte is not part of the number that it ends. */
  endNumber: 72,
  /** The byte begins the value of a member of the outermost object. */
  startMember: 73,
} as const;

/** What Go's error says after naming the character, by state. */
export const complaint: ReadonlyMap<number, string> = new Map<number, string>([
  [state.beginValue, "looking for beginning of value"],
  [state.beginElement, "looking for beginning of value"],
  [state.beginFirstKey, "looking for beginning of object key string"],
  [state.beginKey, "looking for beginning of object key string"],
  [state.afterKey, "after object key"],
  [state.afterMember, "after object key:value pair"],
  [state.afterElement, "after array element"],
  [state.inString, "in string literal"],
  [state.escape, "in string escape code"],
  [state.hex1, "in \\u hexadecimal character escape"],
  [state.hex2, "in \\u hexadecimal character escape"],
  [state.hex3, "in \\u hexadecimal character escape"],
  [state.hex4, "in \\u hexadecimal character escape"],
  [state.minus, "in numeric literal"],
  [state.point, "after decimal point in numeric literal"],
  [state.exponent, "in exponent of numeric literal"],
  [state.exponentSign, "in exponent of numeric literal"],
  [state.t, "in literal true (expecting 'r')"],
  [state.tr, "in literal true (expecting 'u')"],
  [state.tru, "in literal true (expecting 'e')"],
  [state.f, "in literal false (expecting 'a')"],
  [state.fa, "in literal false (expecting 'l')"],
  [state.fal, "in literal false (expecting 's')"],
  [state.fals, "in literal false (expecting 'e')"],
  [state.n, "in literal null (expecting 'u')"],
  [state.nu, "in literal null (expecting 'l')"],
  [state.nul, "in literal null (expecting 'l')"],
]);

const digits = "0123456789";
const hexDigits = "0123456789abcdefABCDEF";
const spaces = " \t\r\n";

export const table: Uint8Array = buildTable();

function buildTable(): Uint8Array {
  const built = new Uint8Array(64 * 256);
  addStructure(built);
  addStrings(built);
  addNumbers(built);
  addLiterals(built);
  return built;
}

function on(built: Uint8Array, from: number, bytes: string, to: number): void {
  for (const byte of bytes) built[from * 256 + byte.charCodeAt(0)] = to;
}

function addStructure(built: Uint8Array): void {
  for (const from of [state.beginValue, state.beginElement]) {
    on(built, from, "{", action.openObject);
    on(built, from, "[", action.openArray);
    on(built, from, '"', state.inString);
    on(built, from, "-", state.minus);
    on(built, from, "0", state.zero);
    on(built, from, "123456789", state.integer);
    on(built, from, "t", state.t);
    on(built, from, "f", state.f);
    on(built, from, "n", state.n);
  }
  built.fill(action.startMember, state.beginMember * 256, (state.beginMember + 1) * 256);
  for (let from: number = state.beginValue; from <= state.afterElement; from += 1) {
    on(built, from, spaces, from);
  }
  on(built, state.beginElement, "]", action.closeEmpty);
  on(built, state.beginFirstKey, "}", action.closeEmpty);
  on(built, state.beginFirstKey, '"', action.openKey);
  on(built, state.beginKey, '"', action.openKey);
  on(built, state.afterKey, ":", action.colon);
  on(built, state.afterMember, ",", state.beginKey);
  on(built, state.afterMember, "}", action.close);
  on(built, state.afterElement, ",", state.beginValue);
  on(built, state.afterElement, "]", action.close);
}

function addStrings(built: Uint8Array): void {
  built.fill(state.inString, state.inString * 256 + 0x20, (state.inString + 1) * 256);
  on(built, state.inString, '"', action.endString);
  on(built, state.inString, "\\", state.escape);
  on(built, state.escape, 'bfnrt\\/"', state.inString);
  on(built, state.escape, "u", state.hex1);
  on(built, state.hex1, hexDigits, state.hex2);
  on(built, state.hex2, hexDigits, state.hex3);
  on(built, state.hex3, hexDigits, state.hex4);
  on(built, state.hex4, hexDigits, state.inString);
}

function addNumbers(built: Uint8Array): void {
  for (const from of [state.zero, state.integer, state.fraction, state.exponentDigits]) {
    built.fill(action.endNumber, from * 256, (from + 1) * 256);
  }
  on(built, state.minus, "0", state.zero);
  on(built, state.minus, "123456789", state.integer);
  on(built, state.integer, digits, state.integer);
  for (const from of [state.zero, state.integer]) on(built, from, ".", state.point);
  for (const from of [state.zero, state.integer, state.fraction]) {
    on(built, from, "eE", state.exponent);
  }
  on(built, state.point, digits, state.fraction);
  on(built, state.fraction, digits, state.fraction);
  on(built, state.exponent, "+-", state.exponentSign);
  on(built, state.exponent, digits, state.exponentDigits);
  on(built, state.exponentSign, digits, state.exponentDigits);
  on(built, state.exponentDigits, digits, state.exponentDigits);
}

function addLiterals(built: Uint8Array): void {
  on(built, state.t, "r", state.tr);
  on(built, state.tr, "u", state.tru);
  on(built, state.tru, "e", action.endLiteral);
  on(built, state.f, "a", state.fa);
  on(built, state.fa, "l", state.fal);
  on(built, state.fal, "s", state.fals);
  on(built, state.fals, "e", action.endLiteral);
  on(built, state.n, "u", state.nu);
  on(built, state.nu, "l", state.nul);
  on(built, state.nul, "l", action.endLiteral);
}
