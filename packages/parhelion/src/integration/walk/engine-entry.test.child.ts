/**
 * The engine's entry with an ear on its channel to the host. Every message is named before it takes effect; when it is the one that
 * the plan names, the plan's victim is killed there.
 */
import { openSync, readSync, writeSync } from "node:fs";
import { engineEntry } from "parhelion-engine";

class Ear {
  // Opened now: later the engine may not be allowed to open anything.
  readonly #plan = openSync(process.env["PARHELION_WALK_PLAN"] as string, "r");
  readonly #steps = openSync(process.env["PARHELION_WALK_STEPS"] as string, "a");
  readonly #counts = new Map<string, number>();

  hear(direction: "in" | "out", message: unknown): void {
    const kind = `ipc ${direction} ${String((message as { readonly op?: unknown }).op)}`;
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    const step = `${kind} #${number}`;
    writeSync(this.#steps, `${step}\n`);
    const bytes = Buffer.alloc(256);
    const read = readSync(this.#plan, bytes, 0, bytes.length, 0);
    const [wanted, victim] = bytes.toString("utf8", 0, read).split("\n");
    if (wanted === step) process.kill(victim === "engine" ? process.pid : Number(victim), "SIGKILL");
  }
}

const ear = new Ear();
// Before that nobody listens, and what comes waits.
await import(engineEntry);
process.prependListener("message", (message) => ear.hear("in", message));
const send = process.send?.bind(process) as ((...args: readonly unknown[]) => boolean) | undefined;
process.send = (message: unknown, ...rest: readonly unknown[]): boolean => {
  ear.hear("out", message);
  return send?.(message, ...rest) ?? false;
};
