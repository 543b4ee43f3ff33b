import { z } from "zod";

/** `GET /foreman/me`: who asks, so that a page or a program shows only what it may do. */
export const callerView = z
  .object({
    client: z.string().meta({ description: "The token's name; without one, an address" }),
    scope: z.enum(["user", "admin"]),
  })
  .meta({ id: "Caller" });

export type Caller = z.output<typeof callerView>;
