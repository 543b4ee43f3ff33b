/**
 * The text with everything replaced that differs between two equal answers: times, durations, and
 * the numbers that Ollama draws as ids. Bytes stand for themselves otherwise.
 */
export function moduloTime(text: string): string {
  return text
    .replace(/"(created_at|modified_at|expires_at)":"[^"]*"/g, '"$1":"TIME"')
    .replace(/"(total|load|prompt_eval|eval)_duration":\d+/g, '"$1_duration":0')
    .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0')
    .replace(/\b(chatcmpl-|cmpl-|resp_|msg_|fc_|rs_|req_|toolu_|call_)[0-9a-z_]+/g, "$1ID");
}

/** The same for what a client library made of an answer. */
export function valueModuloTime(value: unknown): unknown {
  const text = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(moduloTime(text));
}
