/** What a service manager can be told: the assignments of sd_notify(3) that foreman makes. */
export type Assignment =
  | "READY=1"
  | "RELOADING=1"
  | "STOPPING=1"
  | "WATCHDOG=1"
  | `STATUS=${string}`
  | `EXTEND_TIMEOUT_USEC=${number}`;

/** The service manager's ear. */
export interface Notifier {
  /**
   * Tells it all of these at once, after whatever was told before. Resolves when they were handed
   * over, or could not be; never rejects, for a manager that is deaf must not end the service.
   */
  notify(...assignments: readonly Assignment[]): Promise<void>;
}

/** Where nobody listens: foreman was not started by a service manager. */
export const noNotifier: Notifier = { notify: async () => {} };
