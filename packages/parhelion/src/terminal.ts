/** Where a command writes, and how it learns that it should end. Injected, so that commands run in tests as they run here. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** True when people watch standard error: progress is shown then. */
  readonly watched: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  /** Standard input, as it comes. */
  input(): AsyncIterable<Uint8Array>;
  /** `listener` is told once when nobody reads the output any more. */
  onOutputEnd(listener: () => void): void;
}

export function processTerminal(): Terminal {
  // Whoever read has had enough (`| head -1`): nothing is wrong.
  process.stdout.on("error", ignoreBrokenPipe);
  process.stderr.on("error", ignoreBrokenPipe);
  return {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    watched: process.stderr.isTTY === true,
    environment: process.env,
    workingDirectory: process.cwd(),
    input: () => process.stdin,
    onOutputEnd: (listener) => void process.stdout.once("error", () => listener()),
  };
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
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
