/** Origins without a wildcard must begin with one of these, or Ollama does not start. */
const knownSchemes = [
  "http://",
  "https://",
  "chrome-extension://",
  "safari-extension://",
  "moz-extension://",
  "ms-browser-extension://",
];

/** Why Ollama would not accept an entry of the list of origins; null if it would. */
export function originProblem(pattern: string): string | null {
  const stars = pattern.split("*").length - 1;
  if (stars > 1) return "only one * is allowed";
  if (stars === 1 || knownSchemes.some((scheme) => pattern.startsWith(scheme))) return null;
  return `origins must contain '*' or begin with one of ${knownSchemes.join(", ")}`;
}
