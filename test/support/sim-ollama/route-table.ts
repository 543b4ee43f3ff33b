/** Where a request goes before anything is known of its body. */
export type RouteMatch =
  | { readonly kind: "route"; readonly route: string; readonly parameter: string }
  | { readonly kind: "wrong-method"; readonly route: string; readonly allow: string }
  | { readonly kind: "redirect"; readonly status: 301 | 307; readonly location: string }
  | { readonly kind: "unknown" }
  | { readonly kind: "malformed" };

/** Every route of Ollama 0.33 with its methods, in the order in which `Allow` shows them. */
const methodsByRoute: Readonly<Record<string, readonly string[]>> = {
  "/": ["HEAD", "GET"],
  "/api/version": ["HEAD", "GET"],
  "/api/status": ["GET"],
  "/api/pull": ["POST"],
  "/api/push": ["POST"],
  "/api/tags": ["HEAD", "GET"],
  "/api/show": ["POST"],
  "/api/delete": ["DELETE"],
  "/api/me": ["POST"],
  "/api/signout": ["POST"],
  "/api/user/keys/:encodedKey": ["DELETE"],
  "/api/create": ["POST"],
  "/api/blobs/:digest": ["HEAD", "POST"],
  "/api/copy": ["POST"],
  "/api/experimental/web_search": ["POST"],
  "/api/experimental/web_fetch": ["POST"],
  "/api/experimental/model-recommendations": ["GET"],
  "/api/ps": ["GET"],
  "/api/generate": ["POST"],
  "/api/chat": ["POST"],
  "/api/embed": ["POST"],
  "/api/embeddings": ["POST"],
  "/v1/chat/completions": ["POST"],
  "/v1/completions": ["POST"],
  "/v1/embeddings": ["POST"],
  "/v1/models": ["GET"],
  "/v1/models/:model": ["GET"],
  "/v1/responses": ["POST"],
  "/v1/audio/transcriptions": ["POST"],
  "/v1/messages": ["POST"],
};

/**
 * Finds the route as Go's mux and gin do together: unclean paths are redirected first, a slash too
 * many is redirected, a wrong method is 405 with `Allow`, and the rest is 404.
 */
export function matchRoute(method: string, url: string): RouteMatch {
  const { path, query } = splitUrl(url);
  const decoded = decodePath(path);
  if (decoded === null) return { kind: "malformed" };
  const clean = cleanPath(decoded);
  if (clean !== decoded) return { kind: "redirect", status: 307, location: clean + query };
  const found = findRoute(decoded);
  if (found !== null) {
    const methods = methodsByRoute[found.route] ?? [];
    if (methods.includes(method)) return { kind: "route", ...found };
    return { kind: "wrong-method", route: found.route, allow: methods.join(", ") };
  }
  const bare = decoded.endsWith("/") ? findRoute(decoded.slice(0, -1)) : null;
  const canRedirect = bare !== null && methodsByRoute[bare.route]?.includes(method);
  if (!canRedirect) return { kind: "unknown" };
  const location = path.slice(0, -1) + query;
  return { kind: "redirect", status: method === "GET" ? 301 : 307, location };
}

function findRoute(path: string): { route: string; parameter: string } | null {
  if (path in methodsByRoute) return { route: path, parameter: "" };
  const slash = path.lastIndexOf("/");
  const parameter = path.slice(slash + 1);
  if (parameter === "") return null;
  const prefix = `${path.slice(0, slash)}/:`;
  const route = Object.keys(methodsByRoute).find((each) => each.startsWith(prefix));
  return route === undefined ? null : { route, parameter };
}

/** An absolute URL in the request line is cut down to its path. */
function splitUrl(url: string): { path: string; query: string } {
  const relative = url.replace(/^https?:\/\/[^/?]*/i, "");
  const mark = relative.indexOf("?");
  if (mark < 0) return { path: relative, query: "" };
  const query = relative.slice(mark);
  return { path: relative.slice(0, mark), query: query === "?" ? "" : query };
}

function decodePath(path: string): string | null {
  if (!path.startsWith("/")) return null;
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Go's mux: no empty, `.` or `..` parts; a final slash stays. */
function cleanPath(path: string): string {
  if (!/\/\/|\/\.\.?(\/|$)/.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  const joined = `/${parts.join("/")}`;
  return path.endsWith("/") && joined !== "/" ? `${joined}/` : joined;
}
