import { onTestFinished } from "vitest";
import { DaemonLife } from "./daemon-life.ts";

/** The daemon as a process of its own, as an operator starts it; killed when the test ends. */
export class DaemonProcess extends DaemonLife {
  constructor(settings: Readonly<Record<string, string>>, node = process.execPath) {
    super(settings, node);
    onTestFinished(() => void this.child.kill("SIGKILL"));
  }
}
