/** For `npm run dev`: a foreman that restarts when its code changes, before a simulated Ollama. */
import { runDaemon } from "../src/daemon.ts";
import { startSimOllama } from "../test/support/sim-ollama/sim-ollama.ts";

const sim = await startSimOllama();
process.stdout.write(`simulated Ollama on ${sim.url}\n`);
await runDaemon({
  FOREMAN_LOG_LEVEL: "debug",
  ...process.env,
  FOREMAN_OLLAMA_URL: sim.url,
});
