/** Both as JSON text; `answer` null to ask whether answers can be checked by the schema at all. */
export type ToSchemaThread = { readonly schema: string; readonly answer: string | null };

export type FromSchemaThread = { readonly kind: "ready" } | SchemaReply;

export type SchemaReply =
  /** Null when there is nothing to complain of. */
  | { readonly kind: "checked"; readonly complaint: string | null }
  | { readonly kind: "uncheckable"; readonly why: string };
