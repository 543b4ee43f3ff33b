import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { type AppDeps, createApp } from "../../../src/http/app.ts";
import { openapiDocument, operations } from "../../../src/http/openapi/openapi-document.ts";

/** Ollama's, which its own documentation describes. */
const ollamas = /^\/$|^\/api\/(?!runtime\/)|^\/v1\//;
/** For browsers, not for programs. */
const page = /^\/foreman(\/|\/page\/.*)?$/;

const spelled = (method: string, path: string) =>
  `${method.toUpperCase()} ${path.replaceAll(/:(\w+)/g, "{$1}")}`;

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1, of what is there and of batches", async () => {
    const document = openapiDocument([...operations], "1.2.3");
    const validator = new Validator();

    expect(await validator.validate({ ...document })).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    expect(document).toMatchObject({ openapi: "3.1.0", info: { version: "1.2.3" } });
  });

  test("describes each route of foreman's own, and no other", () => {
    const app = createApp({} as AppDeps);
    const own = app.routes.filter(({ method, path }) => method !== "ALL" && !ollamas.test(path));
    const routes = own.filter(({ path }) => !page.test(path));

    expect(operations.map(({ method, path }) => spelled(method, path)).toSorted()).toEqual(
      routes.map(({ method, path }) => spelled(method, path)).toSorted(),
    );
  });

  test("names each operation once", () => {
    const all = [...operations];
    const { paths = {} } = openapiDocument(all, "1");
    const ids = Object.values(paths).flatMap((methods) =>
      Object.values(methods as Record<string, { operationId: string }>).map(
        ({ operationId }) => operationId,
      ),
    );

    expect(new Set(ids).size).toBe(all.length);
    expect(ids).toContain("getJobsIdArtifactsName");
  });

  test("wants a token everywhere but at the probes", () => {
    const open = operations.filter(({ isOpen }) => isOpen).map(({ path }) => path);

    expect(open.toSorted()).toEqual(["/healthz", "/livez", "/readyz"]);
  });

  test("leaves room for members that a later foreman adds", () => {
    expect(JSON.stringify(openapiDocument(operations, "1"))).not.toContain(
      '"additionalProperties":false',
    );
  });
});
