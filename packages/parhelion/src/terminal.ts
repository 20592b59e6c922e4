import { writeSync } from "node:fs";
import { type Screen, screenOf } from "./screen.js";

/** Where a command writes, and how it learns that it should end. Injected, so that commands run in tests as they run here. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Standard output as it is, without a newline. Resolves when more may be written, also when nobody reads any more. */
  outBytes(bytes: Uint8Array): Promise<void>;
  /** True when people watch standard error: progress is shown then. */
  readonly watched: boolean;
  /** Standard output where it is a terminal, to be drawn on; else null. */
  readonly screen: Screen | null;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  /** Standard input, as it comes. */
  input(): AsyncIterable<Uint8Array>;
  /** `listener` is told once when nobody reads the output any more. */
  onOutputEnd(listener: () => void): void;
}

export function processTerminal(): Terminal {
  process.stdout.on("error", outputFailed);
  // Nowhere is left to say it, and no work is worth ending because it can't be told of.
  process.stderr.on("error", () => undefined);
  return {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    outBytes: (bytes) => new Promise((resolve) => process.stdout.write(bytes, () => resolve())),
    watched: process.stderr.isTTY === true,
    screen: process.stdout.isTTY === true ? screenOf(process.stdout) : null,
    environment: process.env,
    workingDirectory: process.cwd(),
    input: () => process.stdin,
    onOutputEnd: (listener) => void process.stdout.once("error", () => listener()),
  };
}

/**
 * Output that is lost otherwise than by a reader who has had enough (`| head -1`), on a full disk say, is a failure. A command that waits to
 * be asked to end is asked, so that it leaves nothing behind.
 */
function outputFailed(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") return;
  const fail = () => {
    process.exitCode = 1;
  };
  process.once("exit", fail);
  try {
    writeSync(2, `parhelion: standard output: ${error.message}\n  what was written is not complete\n`);
  } catch {
    // Nowhere is left to say it.
  }
  if (!process.emit("SIGTERM", "SIGTERM")) process.exit(1);
}

/** Resolves with the first of SIGINT, SIGTERM, SIGHUP. `dispose` gives the signals back to their default. */
export function untilAskedToEnd(): { readonly signal: Promise<NodeJS.Signals>; dispose(): void } {
  const signals: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  let hear: (signal: NodeJS.Signals) => void = () => undefined;
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    hear = resolve;
  });
  for (const name of signals) process.on(name, hear);
  return {
    signal,
    dispose: () => {
      for (const name of signals) process.off(name, hear);
    },
  };
}
