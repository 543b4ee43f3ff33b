import type { Asked } from "./fake-target.ts";

type ListedModel = { readonly name: string; readonly digest: string } & Record<string, unknown>;

/** What the target tells to its polls; a test changes it as it goes. */
export class PolledTarget {
  models: ListedModel[] = [{ name: "m:latest", digest: "d1" }];
  loaded: ListedModel[] = [];
  /** How the target is missing; null while it answers. */
  missing: "unreachable" | "lost" | "silent" | null = null;
  /** Pages that stand in the place of a good answer, by path. */
  readonly pages = new Map<string, string>();

  /** Answers a poll; answers false to what is no poll, and leaves it to others. */
  answer(asked: Asked): boolean {
    const document = this.#document(asked.path);
    if (document === null) return false;
    const page = this.pages.get(asked.path);
    if (this.missing === "silent") return true;
    if (this.missing !== null) asked.fail(this.missing);
    else if (page === undefined) asked.json(document);
    else asked.head({ contentType: "text/html" }).chunk(page).end();
    return true;
  }

  #document(path: string): unknown {
    switch (path) {
      case "/api/version":
        return { version: "0.33.0" };
      case "/api/tags":
        return { models: this.models };
      case "/api/ps":
        return { models: this.loaded };
      case "/v1/models":
        return { object: "list", data: [] };
      default:
        return null;
    }
  }
}
