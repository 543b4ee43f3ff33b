import { z } from "zod";

/** Which durable jobs a client wants cancelled. */
export type CancelWishes = {
  readonly filter: { readonly model?: string | undefined; readonly client?: string | undefined };
  /** Those that run as well, not only those that wait. */
  readonly isRunningToo: boolean;
};

/** `POST /jobs/cancel`. A member that is not known is refused: it may be a filter's, misspelled. */
export const jobsCancel = z
  .strictObject({
    model: z.string().min(1).optional(),
    client: z.string().min(1).optional(),
    state: z
      .literal("queued", { error: 'state is "queued": jobs that have ended stay' })
      .optional(),
    all: z.literal(true, { error: "all is true, or is left out" }).optional(),
    running: z.boolean().default(false),
  })
  .meta({ id: "JobsCancel" });

const tooMuch = 'name a model or a client, or say {"all":true} to cancel everything that waits';
const contrary = '"all" leaves no room for a model or a client: leave one of them out';

/** Reads the body of `POST /jobs/cancel`; a string tells the client what is wrong with it. */
export function readCancelWishes(body: Buffer): CancelWishes | string {
  const parsed = jobsCancel.safeParse(jsonOf(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.join(".") ?? "";
    return at === "" ? `a JSON object is wanted: ${issue?.message}` : `${at}: ${issue?.message}`;
  }
  const { all, client, model, running } = parsed.data;
  const isNarrow = model !== undefined || client !== undefined;
  if (!isNarrow && all === undefined) return tooMuch;
  if (isNarrow && all !== undefined) return contrary;
  return { filter: { model, client }, isRunningToo: running };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null;
  }
}
