import { ForemanError } from "../../errors.ts";
import { newJob } from "../../queue/new-job.ts";
import { type Artifacts, artifactsOf } from "../../result/artifacts.ts";
import type { StoredJob } from "../../store/store.ts";
import { findModel } from "../../target/find-model.ts";
import { jobListQuery } from "../../wire/jobs.ts";
import { answer, type Call, isOwn, queryOf, tell } from "../call.ts";
import { idempotencyKeyOf } from "../durable-request.ts";
import type { QueuedDeps } from "../queued.ts";
import { refuse, refuseUnknown } from "../refuse.ts";
import { findJob } from "./find-job.ts";
import { jobView, type Wait } from "./job-view.ts";
import { readJob } from "./read-job.ts";

type ReadWebhook =
  | { readonly kind: "allowed"; readonly url: string }
  | { readonly kind: "refused"; readonly problem: string };

export type JobsDeps = QueuedDeps & {
  /**
   * Where a waiting job stands; else null. Of one that does not wait in memory the position is the
   * one that is given, or null.
   */
  readonly whyWaiting: (job: StoredJob, position?: number) => Wait | null;
  /** The spelling of a webhook's URL that is kept, or what is wrong with it. */
  readonly readWebhook: (url: string) => ReadWebhook;
};

/** `POST /jobs`: a native request that nobody waits for. Answered when it is on the disk. */
export async function submitJob(call: Call, deps: JobsDeps): Promise<void> {
  const { body, bodyHash, peeked, route, wishes } = await readJob(call, deps.bodyBytesMax);
  if (peeked.kind === "refusal") {
    refuse(call, peeked);
    return;
  }
  if (wishes.problem !== null) throw new ForemanError("bad_request", wishes.problem);
  const webhookUrl = webhookUrlOf(wishes.webhookUrl, deps);
  const model = await findModel(peeked.model, deps);
  if (model === "unknown") {
    refuseUnknown(call, peeked.model);
    return;
  }
  const work = { ...peeked, client: call.client, route, body, bodyHash };
  const job = newJob(work, { clock: deps.clock, isDurable: true, class: wishes.class });
  const idempotencyKey = wishes.idempotencyKey ?? idempotencyKeyOf(call);
  const submission = { job, body, idempotencyKey, webhookUrl, hasClient: false };
  const submitted = await deps.queue.submitDurable(submission);
  const known = submitted.kind === "known" ? submitted.job : job;
  if (known.bodyHash !== bodyHash || known.route !== route) {
    const message = `the idempotency_key was used for another request, job ${known.id}`;
    throw new ForemanError("key_reused", message);
  }
  tell(call, 202, { job_id: known.id });
}

/** `GET /jobs/{id}`. */
export async function showJob(call: Call, id: string, deps: JobsDeps): Promise<void> {
  tell(call, 200, await viewOf(await findJob(call, id, deps.store), deps));
}

/** `POST /jobs/{id}/cancel`: ends it wherever it is; a job that has ended stays as it is. */
export async function cancelJob(call: Call, id: string, deps: JobsDeps): Promise<void> {
  const job = await findJob(call, id, deps.store);
  await deps.queue.cancels.one(job.id);
  const after = (await deps.store.job(job.id)) ?? job;
  tell(call, 200, await viewOf(after, deps));
}

/** `GET /jobs/{id}/artifacts/{name}`. */
export async function showArtifact(call: Call, path: readonly string[], deps: JobsDeps) {
  const [id = "", name = ""] = path;
  const job = await findJob(call, id, deps.store);
  const artifact = (await artifactsFor(job, deps))?.get(name);
  if (artifact === undefined) {
    throw new ForemanError("not_found", `job ${job.id} has no artifact "${name}"`);
  }
  answer(call, 200, ["Content-Type", artifact.contentType], artifact.bytes);
}

/** `GET /jobs`: newest first; `next` is the `after` of the next page, null at the end. */
export async function listJobs(call: Call, deps: JobsDeps): Promise<void> {
  const parsed = jobListQuery.safeParse(queryOf(call));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ForemanError("bad_request", `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { limit } = parsed.data;
  const client = parsed.data.client ?? (call.isAdmin ? undefined : call.client);
  if (client !== undefined && !isOwn(call, { client })) {
    tell(call, 200, { jobs: [], next: null });
    return;
  }
  const jobs = await deps.store.page({ ...parsed.data, client });
  tell(call, 200, {
    jobs: jobs.map((job) => jobView(job, deps.whyWaiting(job), null)),
    next: jobs.length === limit ? (jobs.at(-1)?.arrival ?? null) : null,
  });
}

/** @throws ForemanError `bad_request`, naming what is wrong, and the setting that would allow it */
function webhookUrlOf(text: string | null, { readWebhook }: JobsDeps): string | null {
  if (text === null) return null;
  const read = readWebhook(text);
  if (read.kind === "allowed") return read.url;
  throw new ForemanError("bad_request", `state_webhook_url ${read.problem}`);
}

async function viewOf(job: StoredJob, deps: JobsDeps) {
  let wait = deps.whyWaiting(job);
  if (wait?.position === null && job.isDurable) {
    wait = deps.whyWaiting(job, await deps.store.position(job));
  }
  return jobView(job, wait, await artifactsFor(job, deps));
}

async function artifactsFor(job: StoredJob, { store }: JobsDeps): Promise<Artifacts | null> {
  if (job.state !== "done") return null;
  const kept = await store.answer(job.id);
  return kept && (await artifactsOf(kept));
}
