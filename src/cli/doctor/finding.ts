/** What the doctor found out about one thing. */
export type Finding = {
  /** `unknown`: it could not be found out from here. */
  readonly level: "ok" | "warning" | "fault" | "unknown";
  readonly subject: string;
  readonly found: string;
  /** What to do; null where nothing need be done. */
  readonly remedy: string | null;
};
