/** The key's length that the Standard Webhooks specification (1.0.0) asks for. */
const bytesMin = 24;
const bytesMax = 64;

/**
 * The key that a secret stands for: what `whsec_` is followed by is base64, any other secret is its
 * own letters. Null: it begins with `whsec_`, and what follows is no key of 24 to 64 bytes.
 */
export function webhookKeyOf(secret: string): Buffer | null {
  if (!secret.startsWith("whsec_")) return Buffer.from(secret);
  const text = secret.slice("whsec_".length);
  const key = Buffer.from(text, "base64");
  const isBase64 = key.toString("base64") === text.padEnd(Math.ceil(text.length / 4) * 4, "=");
  return isBase64 && key.length >= bytesMin && key.length <= bytesMax ? key : null;
}
