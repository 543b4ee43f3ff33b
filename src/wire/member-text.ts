/**
 * The text of a JSON string, given its bytes with the quotes, known to be valid JSON. What is no
 * Unicode becomes U+FFFD, as in Go: bytes that are no UTF-8, and surrogates without their partner.
 */
export function memberText(quoted: Buffer): string {
  return String(JSON.parse(quoted.toString("utf8"))).toWellFormed();
}
