/**
 * The engine's entry with an ear on its channel to the host. Every message is named before it takes effect; when it is the one that
 * the plan names, the plan's victim is killed there.
 */
import { openSync, readSync, writeSync } from "node:fs";
import { engineEntry } from "parhelion-engine";

// Opened now: later the engine may not be allowed to open anything.
const plan = openSync(process.env["PARHELION_WALK_PLAN"] as string, "r");
const steps = openSync(process.env["PARHELION_WALK_STEPS"] as string, "a");
const counts = new Map<string, number>();

function stepTaken(direction: "in" | "out", message: unknown): void {
  const op = (message as { readonly op?: unknown }).op;
  const kind = `ipc ${direction} ${String(op)}`;
  const number = (counts.get(kind) ?? 0) + 1;
  counts.set(kind, number);
  const step = `${kind} #${number}`;
  writeSync(steps, `${step}\n`);
  const bytes = Buffer.alloc(256);
  const [wanted, victim] = bytes.toString("utf8", 0, readSync(plan, bytes, 0, bytes.length, 0)).split("\n");
  if (wanted === step) process.kill(victim === "engine" ? process.pid : Number(victim), "SIGKILL");
}

// Before that nobody listens, and what comes waits.
await import(engineEntry);
process.prependListener("message", (message) => stepTaken("in", message));
const send = process.send?.bind(process) as ((...args: readonly unknown[]) => boolean) | undefined;
process.send = (message: unknown, ...rest: readonly unknown[]): boolean => {
  stepTaken("out", message);
  return send?.(message, ...rest) ?? false;
};
