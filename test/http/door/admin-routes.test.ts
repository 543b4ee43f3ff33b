import { describe, expect, test } from "vitest";
import { isAdminRoute } from "../../../src/http/door/admin-routes.ts";
import { routePath } from "../../../src/http/door/front-door.ts";

const judge = (line: string) => {
  const [method = "", url = ""] = line.split(" ");
  return isAdminRoute(method, routePath(url) ?? "");
};

describe("a route is an admin's", () => {
  test.each([
    ...["POST /api/pull", "POST /api/create", "POST /api/push", "POST /api/copy"],
    ...["DELETE /api/delete", "POST /api/blobs/sha256:00", "HEAD /api/blobs/sha256:00"],
    ...["POST /foreman/backup", "POST /jobs/cancel", "PUT /api/runtime/llm/providers"],
    ...["POST /foreman/pause", "POST /foreman/resume", "POST /Foreman//drain"],
    ...["PUT /foreman/slots", "POST /foreman/models/load", "POST /foreman/models/unload"],
    ...["GET /foreman/changes", "PATCH /api/runtime/llm/providers/ollama"],
    ...["PATCH /api/runtime/llm/providers/nemoclaw", "DELETE /api/delete?x=1"],
    ...[
      "DELETE //api/delete",
      "DELETE /api//delete",
      "DELETE /api%2fdelete",
      "DELETE /api/delete/",
    ],
    ...["DELETE /api/x/../delete", "DELETE /./api/delete", "DELETE /API/Delete"],
    ...["DELETE /%61pi/%64elete", "DELETE /api/%2e%2e/api/delete", "DELETE /api%5cdelete"],
    ...["DELETE /api%252fdelete", "DELETE /api/%252e%252e/api/delete", "DELETE /v1/../api/delete"],
    // Not known of Ollama, so that nobody can say what they change.
    ...["POST /api/pulled", "POST /api/experimental/web_search", "PUT /api/chat", "POST /api"],
    ...["DELETE /v1/models/llama3.2", "POST /v1/fine_tuning/jobs", "POST //v1/files"],
    ...["POST /api/chat%252f..%252fgc", "GET /api/user", "POST /api/user/keys/abc", "POST /api/me"],
    ...["PUT /api/runtime/llm/providers///", "GET /foreman/changes//", "GETS /api/newer"],
    ...["FORGET /api/newer", "DELETE /api%252525252fdelete"],
  ])("A1: %s", (line) => {
    expect(judge(line)).toBe(true);
  });

  test.each([
    ...["POST /api/chat", "GET /api/tags", "POST /api/show", "POST /jobs", "GET /jobs/cancel"],
    ...["POST /jobs/01J0000000000000000000000A/cancel", "GET /api/runtime/llm/providers"],
    ...["POST /api/runtime/llm/batch", "GET /", "GET /foreman/status", "POST //api/chat"],
    ...["GET /api/newer", "HEAD /v1/files", "OPTIONS /api/newer", "POST /v1/audio/transcriptions"],
    ...["POST /api/generate", "POST /api/embeddings", "POST /v1/chat/completions"],
    ...["POST /v1/completions", "POST /v1/embeddings", "POST /jobs/foreman/pause"],
    ...["PUT /x/api/runtime/llm/providers", "PUTS /api/runtime/llm/providers"],
    ...[
      "INPUT /api/runtime/llm/providers",
      "PUT /api/runtime/llm/providersx",
      "POST /x/api/pulled",
    ],
    ...["GET /foreman/changesx"],
    ...["POST /v1/responses", "POST /v1/messages", "POST /api/embed", "GET /v1/models/llama3.2"],
  ])("A1: but %s is not", (line) => {
    expect(judge(line)).toBe(false);
  });
});
