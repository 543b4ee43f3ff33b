import type { z } from "zod";

/** What a route answers with one status. */
export type Answer = {
  readonly description: string;
  /** Of the JSON in it. */
  readonly schema?: z.ZodType;
  /** Where the body is not just JSON. */
  readonly mediaType?: string;
};

/**
 * One route of foreman's own, as OpenAPI describes it. Whoever adds a route to the app adds its
 * operation to a list here; a test holds the two against each other. Parts of the path in braces
 * are parameters; 401 and the errors of the route's shape are added to each.
 */
export type Operation = {
  readonly method: "get" | "post" | "put" | "patch";
  readonly path: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly isBodyOptional?: boolean;
  /** Open without a token. */
  readonly isOpen?: boolean;
  /** By status, or `default`. */
  readonly answers: Readonly<Record<string, Answer>>;
};
