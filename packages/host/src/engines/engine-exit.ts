/** How an engine ended, in the words that reach the application's `device.lost`. */
export interface EngineExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lastErrorLine: string | undefined;
  /** Why the host ended it, or that it could not be started; undefined when it ended by itself. */
  readonly cause: string | undefined;
}

export function describeExit(exit: EngineExit): string {
  const how =
    exit.signal !== null
      ? `was killed by ${exit.signal}`
      : exit.exitCode !== null
        ? `exited with code ${exit.exitCode}`
        : "did not start";
  const why = exit.cause === undefined ? "" : ` (${exit.cause})`;
  const said = exit.lastErrorLine === undefined ? "" : `; its last words: ${exit.lastErrorLine}`;
  return `engine ${how}${why}${said}`;
}
