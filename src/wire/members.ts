import { type JsonKind, JsonPeek, type PeekedMember } from "./json-peek.ts";
import { memberText } from "./member-text.ts";

/**
 * Reads single values out of the members of a body, as they stand in Go's struct after decoding.
 * Where Go's field is a pointer, a slice or a map, a later `null` takes an earlier value away;
 * where it is not, `null` changes nothing. A value of the wrong kind or too long to read counts as
 * absent: whether it is a mistake is told by `decodeError`.
 */
export class Members {
  readonly #members: readonly PeekedMember[];

  constructor(members: readonly PeekedMember[]) {
    this.#members = members;
  }

  /** The last occurrence, unless it is `null`. */
  nullable(name: string): PeekedMember | null {
    const last = this.#members.findLast((member) => member.name === name) ?? null;
    return last?.kind === "null" ? null : last;
  }

  /** The last occurrence that is not `null`. */
  plain(name: string): PeekedMember | null {
    return this.all(name).at(-1) ?? null;
  }

  /** The last occurrence of one of these kinds. */
  lastOf(name: string, kinds: readonly JsonKind[]): PeekedMember | null {
    const isSuch = (member: PeekedMember) => member.name === name && kinds.includes(member.kind);
    return this.#members.findLast(isSuch) ?? null;
  }

  /** Every occurrence that is not `null`, in order. */
  all(name: string): readonly PeekedMember[] {
    return this.#members.filter((member) => member.name === name && member.kind !== "null");
  }

  /**
   * What a map, or a struct behind a pointer, is made of: the occurrences after the last `null`.
   */
  sinceNull(name: string): readonly PeekedMember[] {
    const same = this.#members.filter((member) => member.name === name);
    return same.slice(same.findLastIndex((member) => member.kind === "null") + 1);
  }

  /** The members of a struct: Go decodes each occurrence into the same one. */
  inside(occurrences: readonly PeekedMember[], names: readonly string[]): Members {
    return new Members(occurrences.flatMap((occurrence) => membersOf(occurrence, names)));
  }

  /** A `string`; empty if absent. */
  text(name: string): string {
    return textOf(this.plain(name)) ?? "";
  }

  /** Whether a `string` is there that is too long to be read. */
  isUnread(name: string): boolean {
    const member = this.plain(name);
    return member?.kind === "string" && member.raw === null;
  }

  /** A `*string`. */
  nullableText(name: string): string | null {
    return textOf(this.nullable(name));
  }

  /** A `bool`; false if absent. */
  flag(name: string): boolean {
    return flagOf(this.plain(name)) ?? false;
  }

  /** A `*bool`. */
  nullableFlag(name: string): boolean | null {
    return flagOf(this.nullable(name));
  }

  /** An `int`; zero if absent. */
  integer(name: string): number {
    return integerOf(this.plain(name)) ?? 0;
  }

  /** An `*int`; zero if absent. */
  nullableInteger(name: string): number {
    return integerOf(this.nullable(name)) ?? 0;
  }

  /** Whether a slice has no elements. */
  isEmptySlice(name: string): boolean {
    return this.nullable(name)?.isEmpty ?? true;
  }

  /** Whether a `string` is empty, however long it is. */
  isEmptyText(name: string): boolean {
    return this.plain(name)?.isEmpty ?? true;
  }
}

function membersOf(object: PeekedMember, names: readonly string[]): readonly PeekedMember[] {
  const peek = new JsonPeek({ raw: names, kindOnly: [] });
  peek.write(object.raw ?? new Uint8Array(0));
  const result = peek.end();
  return result.kind === "value" ? result.members : [];
}

function textOf(member: PeekedMember | null): string | null {
  return member?.kind === "string" && member.raw !== null ? memberText(member.raw) : null;
}

function flagOf(member: PeekedMember | null): boolean | null {
  return member?.kind === "bool" && member.raw !== null ? member.raw[0] === 0x74 : null;
}

function integerOf(member: PeekedMember | null): number | null {
  return member?.kind === "number" && member.raw !== null ? Number(member.raw.toString()) : null;
}
