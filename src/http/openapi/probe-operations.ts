import { backupMade } from "../../wire/backup.ts";
import {
  healthDocument,
  healthQuery,
  healthSummary,
  liveness,
  readiness,
} from "../../wire/probes.ts";
import { statusDocument } from "../../wire/status.ts";
import type { Operation } from "./operation.ts";

/** What tells how foreman is and what it can do, and what looks after it. */
export const probeOperations: readonly Operation[] = [
  {
    method: "get",
    path: "/livez",
    summary: "Whether the process answers",
    isOpen: true,
    answers: { 200: { description: "It does", schema: liveness } },
  },
  {
    method: "get",
    path: "/readyz",
    summary: "Whether new work is taken",
    isOpen: true,
    answers: {
      200: { description: "It is", schema: readiness },
      503: { description: "It is not, and why", schema: readiness },
    },
  },
  {
    method: "get",
    path: "/healthz",
    summary: "Whether foreman can do its part, and how Ollama is",
    isOpen: true,
    query: healthQuery,
    answers: {
      200: { description: "It can, be Ollama there or not", schema: healthDocument },
      503: { description: "It cannot, and why", schema: healthDocument },
    },
  },
  {
    method: "get",
    path: "/health",
    summary: "Database, Ollama and GPU in a word each",
    answers: {
      200: { description: "Foreman can do its part", schema: healthSummary },
      503: { description: "It cannot", schema: healthSummary },
    },
  },
  {
    method: "get",
    path: "/metrics",
    summary: "What Prometheus scrapes",
    answers: {
      200: { description: "Prometheus's text format, 0.0.4", mediaType: "text/plain" },
    },
  },
  {
    method: "get",
    path: "/foreman/status",
    summary: "What runs, who waits and why",
    answers: { 200: { description: "As it stands now", schema: statusDocument } },
  },
  {
    method: "post",
    path: "/foreman/backup",
    summary: "Copy the database, whole, into the folder of backups beside it",
    answers: { 201: { description: "The copy is on the disk", schema: backupMade } },
  },
  {
    method: "get",
    path: "/openapi.json",
    summary: "This document",
    answers: { 200: { description: "OpenAPI 3.1", mediaType: "application/json" } },
  },
];
