import type { z } from "zod";

/** Where documents are kept between two lives of the daemon: the store, by its narrowest side. */
export type Memory = {
  remember(name: string, document: Uint8Array): Promise<void>;
  recall(name: string): Promise<Uint8Array | null>;
};

/**
 * The document that an earlier life kept under that name; null if there is none. One that cannot be
 * read is told to `onUnreadable` and passed over: foreman must start.
 */
export async function recallDocument<Shape extends z.ZodType>(
  memory: Memory,
  name: string,
  shape: Shape,
  onUnreadable: (cause: unknown) => void,
): Promise<z.output<Shape> | null> {
  const bytes = await memory.recall(name);
  if (bytes === null) return null;
  try {
    return shape.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    onUnreadable(cause);
    return null;
  }
}

/** Keeps a document in the place of its last version. Rejects as `Store.remember`. */
export function keepDocument(memory: Memory, name: string, document: object): Promise<void> {
  return memory.remember(name, Buffer.from(JSON.stringify(document)));
}
