/** A part of a multipart/form-data body. */
export type FormPart = { readonly name: string; readonly isFile: boolean; readonly body: Buffer };

/** The parts of a form, or Go's complaint (mime/multipart). */
export type Form =
  | { readonly kind: "form"; readonly parts: readonly FormPart[] }
  | { readonly kind: "error"; readonly message: string };

/** Reads a whole multipart/form-data body. */
export function readForm(contentType: string, body: Buffer): Form {
  if (!/^multipart\/form-data/i.test(contentType)) {
    return { kind: "error", message: "request Content-Type isn't multipart/form-data" };
  }
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) {
    return { kind: "error", message: "no multipart boundary param in Content-Type" };
  }
  const mark = Buffer.from(`--${boundary}`);
  const parts: FormPart[] = [];
  let at = body.indexOf(mark);
  if (at < 0) return { kind: "error", message: "multipart: NextPart: EOF" };
  for (;;) {
    const start = at + mark.length;
    if (body.subarray(start, start + 2).toString() === "--") return { kind: "form", parts };
    const next = body.indexOf(mark, start);
    if (next < 0) return { kind: "error", message: "multipart: NextPart: EOF" };
    parts.push(readPart(body.subarray(start + 2, next - 2)));
    at = next;
  }
}

/** The first part's text of that name that is no file; empty when there is none. */
export function formText(parts: readonly FormPart[], name: string): string {
  const part = parts.find((each) => each.name === name && !each.isFile);
  return part?.body.toString("utf8") ?? "";
}

function readPart(bytes: Buffer): FormPart {
  const split = bytes.indexOf("\r\n\r\n");
  const head = bytes.subarray(0, split).toString("utf8");
  const name = /\bname="([^"]*)"/i.exec(head)?.[1] ?? "";
  return { name, isFile: /\bfilename=/i.test(head), body: bytes.subarray(split + 4) };
}
