import {
  createDocument,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from "zod-openapi";
import { codedError, plainError, validationError } from "../../wire/error-answers.ts";
import { isAdminRoute } from "../door/admin-routes.ts";
import { batchOperations } from "./batch-operations.ts";
import { controlOperations } from "./control-operations.ts";
import { jobOperations } from "./job-operations.ts";
import type { Answer, Operation } from "./operation.ts";
import { pageOperations } from "./page-operations.ts";
import { probeOperations } from "./probe-operations.ts";
import { runtimeOperations } from "./runtime-operations.ts";

/** Every route of foreman's own. */
export const operations: readonly Operation[] = [
  ...jobOperations,
  ...runtimeOperations,
  ...batchOperations,
  ...probeOperations,
  ...controlOperations,
  ...pageOperations,
];

/**
 * The OpenAPI 3.1 document of such routes, made of the schemas that they parse by. Answers may have
 * members beside those that are described, since a later foreman will have.
 */
export function openapiDocument(
  described: readonly Operation[],
  version: string,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of described) {
    const others = paths[operation.path];
    paths[operation.path] = { ...others, [operation.method]: describe(operation) };
  }
  const document: ZodOpenApiObject = {
    openapi: "3.1.0",
    info: {
      title: "foreman",
      version,
      description: "Foreman's own routes. All else below /api/ and /v1/ is Ollama's.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    components: { securitySchemes },
    paths,
  };
  return createDocument(document, {
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
}

/** The token, in each of the ways that door/access.ts takes. */
const securitySchemes = {
  bearer: { type: "http", scheme: "bearer" },
  basic: { type: "http", scheme: "basic", description: "The token as password, any user name" },
  api_key: { type: "apiKey", in: "header", name: "x-api-key" },
} as const;

function describe(operation: Operation): ZodOpenApiOperationObject {
  const { body, isBodyOptional = false, isOpen, method, path, query, summary } = operation;
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    in: "path" as const,
    name,
    required: true,
    schema: { type: "string" as const },
  }));
  const answers = Object.entries({ ...errorsOf(operation), ...operation.answers });
  return {
    operationId: `${method}${path.replace(/\W+(\w?)/g, (_, next: string) => next.toUpperCase())}`,
    summary,
    ...(isOpen && { security: [] }),
    ...(parameters.length > 0 && { parameters }),
    ...(query && { requestParams: { query } }),
    ...(body && {
      requestBody: { required: !isBodyOptional, content: { "application/json": { schema: body } } },
    }),
    responses: Object.fromEntries(
      answers.map(([status, answer]) => [status, describeAnswer(answer)]),
    ),
  };
}

function describeAnswer(answer: Answer): ZodOpenApiResponseObject {
  const { description, mediaType = "application/json", schema } = answer;
  return { description, content: { [mediaType]: schema === undefined ? {} : { schema } } };
}

/** What every route may answer, in the shape of its errors. */
function errorsOf({ body, isOpen, method, path, query }: Operation): Operation["answers"] {
  if (isOpen) return {};
  const isRuntime = path.startsWith("/api/runtime/");
  const schema = isRuntime ? codedError : plainError;
  const hasInput = query !== undefined || body !== undefined;
  return {
    401: { description: "A valid token is required", schema },
    ...(isAdminRoute(method.toUpperCase(), path) && {
      403: { description: "A token of scope admin is required", schema },
    }),
    ...(path.includes("{") && { 404: { description: "There is none", schema } }),
    ...(hasInput && !isRuntime && { 400: { description: "The request is malformed", schema } }),
    ...(hasInput &&
      isRuntime && {
        422: { description: "The request is malformed", schema: validationError.or(codedError) },
      }),
    default: { description: "What went wrong, with the status that fits", schema },
  };
}
