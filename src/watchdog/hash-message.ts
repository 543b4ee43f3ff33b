/** What the thread that hashes a file tells. */
export type FromHashThread =
  | { readonly kind: "progress"; readonly doneBytes: number }
  /** In hex. */
  | { readonly kind: "done"; readonly sha256: string };
