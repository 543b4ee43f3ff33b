import { expect, test } from "vitest";
import { errorWords } from "../../src/wire/error-words.ts";

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
