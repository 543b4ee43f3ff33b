import { bindBody } from "./bind-body.ts";
import { signinUrl } from "./native-presenter.ts";
import type { Call } from "./sim-core.ts";

/** POST /api/me. */
export function handleMe({ sim, exchange }: Call) {
  switch (sim.settings.cloud) {
    case "answers":
      return exchange.reply.json(200, {
        id: "00000000-0000-0000-0000-000000000000",
        email: "sim@example.com",
        name: "sim",
        plan: "free",
      });
    case "signed-out":
      return exchange.reply.json(401, { error: "unauthorized", signin_url: signinUrl });
    case "unreachable":
    case "disabled":
      return exchange.reply.json(503, { error: "account unavailable" });
  }
}

/** POST /api/signout and its deprecated form. */
export function handleSignout({ sim, exchange }: Call): void {
  const isOut = sim.settings.cloud === "unreachable";
  if (isOut) exchange.reply.json(500, { error: "there was an error signing out" });
  else exchange.reply.json(200, null);
}

/** POST /api/experimental/web_search and web_fetch: no search engine stands behind them. */
export function handleWebTool(call: Call) {
  const { sim, exchange } = call;
  const { reply, route } = exchange;
  const bound = bindBody(call.payload, { name: "map", fields: {} });
  if (bound.kind === "error" && bound.message === "EOF") {
    return reply.json(400, { error: "missing request body" });
  }
  if (sim.settings.cloud === "unreachable") {
    const cause = "dial tcp: lookup ollama.com: no such host";
    const path = route.replace("/experimental", "");
    return reply.json(502, { error: `Post "https://ollama.com:443${path}": ${cause}` });
  }
  const isSearch = route.endsWith("web_search");
  reply.json(200, isSearch ? { results: [] } : { title: "", content: "" });
}

/** GET /api/experimental/model-recommendations. */
export function handleRecommendations({ sim, exchange }: Call): void {
  const recommendations = sim.library.list().map(({ name, contextLength }) => ({
    model: name,
    description: "A simulated model",
    context_length: contextLength,
  }));
  exchange.reply.json(200, { recommendations });
}
