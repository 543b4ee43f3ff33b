/**
 * What a request of the runtime-LLM API may be at most; each refusal names its number. Sizes in
 * bytes of UTF-8, lengths in UTF-16 units as JavaScript and pydantic's JSON Schema count them.
 */
export const runtimeLimits = {
  /** What OpenAI takes in one batch, too. */
  batchItems: 50_000,
  batchBytes: 200 * 2 ** 20,
  /** One chat, or one item of a batch: a long conversation, or a photo in base64. */
  requestBytes: 8 * 2 ** 20,
  requestIdLength: 200,
  jobTypeLength: 200,
  modelLength: 512,
  noteLength: 2_000,
  stopSequences: 16,
  /** In one change of an operator, of which each is remembered with all that it names. */
  modelsSwitched: 20,
  /** OpenAI takes schemas of 120,000 letters; one of 64 KiB takes a second to compile. */
  schemaBytes: 64 * 2 ** 10,
  schemaDepth: 64,
  /**
   * Of one request, and of one answer that is to be JSON. A megabyte of JSON costs the event loop
   * 2 ms if it is one text, and 200 ms if it is brackets, so not the bytes alone are bounded. The
   * worst that was found within these numbers costs 27 ms.
   */
  jsonDepth: 128,
  jsonValues: 50_000,
  /** A million tokens or so; what is longer was never meant to be read as JSON. */
  jsonAnswerBytes: 4 * 2 ** 20,
  pageItems: 1_000,
} as const;
