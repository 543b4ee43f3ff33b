import { chatRequest, providerOrder, providerPatch } from "../../wire/runtime.ts";
import {
  chatAnswer,
  providerChanges,
  providerList,
  providerOrderView,
  providerView,
} from "../../wire/runtime-answers.ts";
import type { Operation } from "./operation.ts";

const base = "/api/runtime/llm";

/** The runtime-LLM API. */
export const runtimeOperations: readonly Operation[] = [
  {
    method: "post",
    path: `${base}/chat`,
    summary: "Ask for one answer, of the shape that is wanted",
    body: chatRequest,
    answers: { 200: { description: "The answer, and who gave it", schema: chatAnswer } },
  },
  {
    method: "get",
    path: `${base}/providers`,
    summary: "List the providers, and how they do",
    answers: { 200: { description: "In the order in force", schema: providerList } },
  },
  {
    method: "get",
    path: `${base}/providers/order`,
    summary: "Tell the operator's order",
    answers: { 200: { description: "The order", schema: providerOrderView } },
  },
  {
    method: "put",
    path: `${base}/providers/order`,
    summary: "Set the order in which providers are asked",
    body: providerOrder,
    answers: { 200: { description: "The order", schema: providerOrderView } },
  },
  {
    method: "get",
    path: `${base}/providers/changes`,
    summary: "Tell who changed the order or a provider, and when",
    answers: { 200: { description: "Newest first", schema: providerChanges } },
  },
  {
    method: "patch",
    path: `${base}/providers/{id}`,
    summary: "Switch a provider, or models of it, on or off",
    body: providerPatch,
    answers: { 200: { description: "The provider", schema: providerView } },
  },
];
