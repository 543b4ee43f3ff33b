import { SeededRandom } from "./seeded-random.ts";

/** A vector of unit length for a text: the same text, model and size give the same numbers. */
function embed(modelBlob: string, text: string, dimensions: number): readonly number[] {
  const random = new SeededRandom(`${modelBlob}\n${text}`);
  const raw = Array.from({ length: dimensions }, () => random.next(2_000_001) - 1_000_000);
  const norm = Math.sqrt(raw.reduce((sum, value) => sum + value * value, 0)) || 1;
  // Seven digits survive a float32, so that float and base64 forms agree. No exponents either.
  return raw.map((value) => Number((value / norm).toFixed(7)));
}

/** The bytes of little-endian float32 values, in base64. */
export function floatsToBase64(values: readonly number[]): string {
  const floats = Float32Array.from(values);
  return Buffer.from(floats.buffer).toString("base64");
}

const cachedMax = 4_096;
const cached = new Map<string, string>();

/** The vector as JSON text. Kept, because benchmarks ask for the same one thousands of times. */
export function embedAsJson(modelBlob: string, text: string, dimensions: number): string {
  const key = `${modelBlob}\n${dimensions}\n${text}`;
  const known = cached.get(key);
  if (known !== undefined) return known;
  const json = JSON.stringify(embed(modelBlob, text, dimensions));
  if (cached.size >= cachedMax) cached.clear();
  cached.set(key, json);
  return json;
}
