/** What the client takes from its process: time, the end of a turn, and a place for the one message nobody asked for. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Clock, platformClock } from "parhelion-protocol";

export interface ClientRuntime {
  readonly clock: Clock;
  /** Calls `task` once, after the current turn. */
  afterTurn(task: () => void): void;
  /** Runs the JavaScript collector, entirely. */
  collect(): void;
  /** Keeps the process alive until the returned function is called. */
  keepAlive(): () => void;
  /** An error that the application does not listen for: one message, without a line end. */
  report(message: string): void;
}

const keepAlivePeriodMs = 2 ** 30;

export const processRuntime: ClientRuntime = {
  clock: platformClock,
  afterTurn: (task) => void setImmediate(task),
  collect() {
    // Needs no flag on the program's command line.
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    collect();
  },
  keepAlive() {
    const timer = setInterval(() => {}, keepAlivePeriodMs);
    return () => clearInterval(timer);
  },
  report: (message) => void process.stderr.write(`${message}\n`),
};
