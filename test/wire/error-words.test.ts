import { expect, test } from "vitest";
import { errorCode, errorWords } from "../../src/wire/error-words.ts";

test.each([
  ['{"error":"model \'x\' not found"}', "model 'x' not found"],
  ['{"error":{"message":"no such model","type":"invalid_request_error"}}', "no such model"],
  ['{"type":"error","error":{"type":"api_error","message":"busy"}}', "busy"],
  ['{"detail":"Not authenticated"}', "Not authenticated"],
  ['{"object":"error","message":"too long","code":400}', "too long"],
  ["<html>502</html>", "<html>502</html>"],
  ['{"error":7}', '{"error":7}'],
])("the words of %s are %s", (body, words) => {
  expect(errorWords(body)).toBe(words);
});

test.each([
  [
    '{"error":{"message":"m","type":"requests","code":"rate_limit_exceeded"}}',
    "rate_limit_exceeded",
  ],
  ['{"error":{"message":"m","type":"insufficient_quota","code":null}}', "insufficient_quota"],
  ['{"type":"error","error":{"type":"overloaded_error","message":"m"}}', "overloaded_error"],
  [
    '{"object":"error","message":"m","type":"InternalServerError","code":500}',
    "InternalServerError",
  ],
  ['{"error":{"message":"m","code":"could not do: my prompt"}}', null],
  ['{"error":"m"}', null],
  ["<html>502</html>", null],
])("the code of %s is %s", (body, code) => {
  expect(errorCode(body)).toBe(code);
});
