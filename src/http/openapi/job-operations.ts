import { jobsCancel } from "../../wire/cancel-wishes.ts";
import { plainError } from "../../wire/error-answers.ts";
import {
  jobDocument,
  jobList,
  jobListQuery,
  jobSubmission,
  jobSubmitted,
  jobsCancelled,
} from "../../wire/jobs.ts";
import type { Operation } from "./operation.ts";

const job = { description: "The job as it is now", schema: jobDocument };

/** `/jobs`: work that nobody waits for. */
export const jobOperations: readonly Operation[] = [
  {
    method: "post",
    path: "/jobs",
    summary: "Submit a native chat or generate request as a durable job",
    body: jobSubmission,
    answers: { 202: { description: "It is on the disk", schema: jobSubmitted } },
  },
  {
    method: "get",
    path: "/jobs",
    summary: "List jobs, newest first",
    query: jobListQuery,
    answers: { 200: { description: "A page", schema: jobList } },
  },
  {
    method: "post",
    path: "/jobs/cancel",
    summary: "Cancel every durable job that waits and fits, and those that run if asked",
    body: jobsCancel,
    answers: { 200: { description: "It is on the disk", schema: jobsCancelled } },
  },
  { method: "get", path: "/jobs/{id}", summary: "Look at a job", answers: { 200: job } },
  {
    method: "post",
    path: "/jobs/{id}/cancel",
    summary: "Cancel a job in any state; one that has ended stays as it is",
    answers: { 200: job },
  },
  {
    method: "get",
    path: "/jobs/{id}/events",
    summary: "Follow a job by server-sent events; Last-Event-ID goes on behind the one it names",
    answers: {
      200: { description: "States, and progress between them", mediaType: "text/event-stream" },
      204: { description: "The client has the last event: nothing will come" },
    },
  },
  {
    method: "get",
    path: "/jobs/{id}/request",
    summary: "Fetch the body that a durable job was submitted with, until the job ends",
    answers: {
      200: { description: "Its bytes as they came", mediaType: "application/json" },
      410: { description: "The job has ended: it is kept no longer", schema: plainError },
    },
  },
  {
    method: "get",
    path: "/jobs/{id}/artifacts/{name}",
    summary: "Fetch what a done job brought forth",
    answers: { 200: { description: "Its bytes, in their own type", mediaType: "*/*" } },
  },
];
