// The page's only reader of time: what is drawn takes it from here.

export function nowMs(): number {
  return Date.now();
}

/** How long ago that was, in ms; negative for what is to come; null where nothing is told. */
export function agoMs(iso: string | null): number | null {
  if (iso === null) return null;
  const at = new Date(iso).getTime();
  return Number.isNaN(at) ? null : nowMs() - at;
}

/** In the reader's own time zone: `14:02:11`, and with the day where that is not today. */
export function timeOf(iso: string | null): string {
  if (iso === null) return "–";
  const at = new Date(iso);
  const clock = at.toLocaleTimeString("en-GB");
  const isToday = at.toDateString() === new Date().toDateString();
  const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return isToday ? clock : `${day} ${clock}`;
}

export function secondsOf(iso: string): number {
  return new Date(iso).getTime() / 1_000;
}

/** `14:02`, of seconds since 1970. */
export function hourOf(seconds: number): string {
  const at = new Date(seconds * 1_000);
  return at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

/** Resolves after `ms`, or as soon as the signal is aborted. */
export function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Calls `tick` every `ms` until the function that it returns is called. */
export function every(ms: number, tick: () => void): () => void {
  const timer = setInterval(tick, ms);
  return () => clearInterval(timer);
}
