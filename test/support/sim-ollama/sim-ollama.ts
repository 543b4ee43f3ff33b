import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { ControlSurface } from "./control-surface.ts";
import type { FaultRule } from "./fault.ts";
import { type FaultHandle, FaultRules } from "./fault-rules.ts";
import { Front } from "./front.ts";
import { Journal } from "./journal.ts";
import { ModelLibrary } from "./model-library.ts";
import { Pace } from "./pace.ts";
import { Scheduler } from "./scheduler.ts";
import type { SimCore } from "./sim-core.ts";
import { completeSettings, type SimOptions, type SimSettings } from "./sim-settings.ts";

/** Starts a simulated Ollama on 127.0.0.1; resolves once it accepts connections. */
export async function startSimOllama(options: SimOptions = {}): Promise<SimOllama> {
  const sim = new SimOllama(completeSettings(options));
  await sim.up();
  return sim;
}

/** An Ollama without a GPU: the same wire, the same scheduling, made-up words, faults to order. */
export class SimOllama {
  readonly journal: Journal;
  readonly library: ModelLibrary;
  readonly #core: SimCore;
  readonly #sockets = new Set<Socket>();
  #front: Front;
  #server: Server | null = null;
  #port: number;

  constructor(settings: SimSettings) {
    this.journal = new Journal(settings.journal);
    this.library = new ModelLibrary(settings.models);
    const { journal, library } = this;
    const pace = new Pace(settings.timeScale);
    const faults = new FaultRules();
    const scheduler = newScheduler(settings, journal, pace);
    this.#core = { settings, library, journal, faults, pace, scheduler };
    this.#front = new Front(this.#core);
    this.#port = settings.port;
  }

  get port(): number {
    return this.#port;
  }

  /** Scheme, host and port, without a slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The display names of what is loaded, in order of loading. */
  get loaded(): readonly string[] {
    return this.#core.scheduler.runners.map((runner) => runner.model.name);
  }

  /** Lays down a rule; see `Fault` for what can go wrong. */
  fail(rule: FaultRule): FaultHandle {
    return this.#core.faults.fail(rule);
  }

  clearFaults(): void {
    this.#core.faults.clear();
  }

  /** Accepts connections, on the same port as before if it was down. */
  async up(): Promise<void> {
    if (this.#server !== null) return;
    const server = this.#newServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    this.journal.record({ kind: "up" });
  }

  /**
   * The process ends, as at SIGTERM: every connection breaks at once, loaded models are lost, and
   * connections are refused until `up`. Models on disk, faults and journal stay.
   */
  async down(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    this.journal.record({ kind: "down" });
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    this.#core.scheduler.stop();
    const { settings, journal, pace } = this.#core;
    this.#core.scheduler = newScheduler(settings, journal, pace);
    await closed;
  }

  /** Down and up again on the same port. */
  async restart(): Promise<void> {
    await this.down();
    await this.up();
  }

  /** Down for good; the journal stays readable. Idempotent. */
  async stop(): Promise<void> {
    this.clearFaults();
    await this.down();
    this.journal.close();
  }

  #newServer(): Server {
    const front = new Front(this.#core);
    this.#front = front;
    const control = this.#core.settings.control ? new ControlSurface(this) : null;
    // Ollama has no time limits of its own.
    const timeouts = { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 };
    const server = createServer({ ...timeouts, maxHeaderSize: goHeaderBytesMax });
    // Without it Node closes its side too as soon as the client closes its own.
    Object.assign(server, { httpAllowHalfOpen: true });
    server.on("request", (request, response) => {
      if (control?.takes(request)) void control.serve(request, response);
      else void front.serve(request, response, false);
    });
    server.on("checkContinue", (request, response) => void front.serve(request, response, true));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      const isTooLarge = error.code === "HPE_HEADER_OVERFLOW";
      const status = isTooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
      const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n`;
      if (socket.writable) socket.end(`${head}Connection: close\r\n\r\n${status}`);
    });
    server.on("connection", (socket) => this.#watch(socket));
    return server;
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.once("end", () => {
      this.#front.halfClosed(socket);
    });
    // Resets are part of the trade; without a listener one would end the process.
    socket.on("error", () => {});
  }
}

/** Go's default, with its margin. */
const goHeaderBytesMax = (1 << 20) + 4_096;

function newScheduler(settings: SimSettings, journal: Journal, pace: Pace): Scheduler {
  const hasKeepAliveBug = settings.bugs.keepAliveOverwrite;
  return new Scheduler({ ...settings, hasKeepAliveBug }, journal, pace);
}
