/** An engine whose process may not have much more memory than it has when it is ready: what is missing then is really missing. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { engineEntry } from "parhelion-engine";

/** The engine's, as much of it as is used here. */
const koffi = createRequire(engineEntry)("koffi") as {
  load(path: string): { func(signature: string): unknown };
};

const RLIMIT_AS = 9;
const room = 640 * 2 ** 20;

function limitAddressSpace(): void {
  const pages = Number(readFileSync("/proc/self/statm", "latin1").split(" ")[0]);
  const most = BigInt(pages * 4096 + room);
  const setrlimit = koffi.load("libc.so.6").func("int setrlimit(int resource, const void *limit)") as (
    resource: number,
    limit: BigUint64Array,
  ) => number;
  if (setrlimit(RLIMIT_AS, BigUint64Array.of(most, most)) !== 0) throw new Error("the limit was refused");
}

const send = process.send?.bind(process) as (...args: readonly unknown[]) => boolean;
process.send = (message: unknown, ...rest: readonly unknown[]): boolean => {
  if ((message as { readonly op?: unknown }).op === "ready") limitAddressSpace();
  return send(message, ...rest);
};
await import(engineEntry);
