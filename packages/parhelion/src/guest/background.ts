/**
 * A command that serves goes on in a process of its own, so that `eval "$(…)"` returns: a shell waits for as long as
 * anybody holds the pipe that it reads.
 */
import { spawn } from "node:child_process";
import type { Terminal } from "../terminal.js";

/**
 * Starts the same command line again without `--background`, passes on what it prints until it is ready, and lets it go.
 * @returns 0, or the exit status of one that ended before it was ready
 */
export function continueInBackground(terminal: Terminal): Promise<number> {
  const args = process.argv.slice(1).filter((word) => word !== "--background");
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    cwd: terminal.workingDirectory,
    env: terminal.environment,
    detached: true,
    // Its errors stay visible; its output is ours until it is ready.
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
    child.stdout.setEncoding("utf8");
    // What is printed at once arrives at once: it is far smaller than a pipe.
    child.stdout.once("data", (text: string) => {
      terminal.out(text.trimEnd());
      if (isError(text)) return;
      child.stdout.destroy();
      child.unref();
      resolve(0);
    });
  });
}

function isError(text: string): boolean {
  return text.startsWith('{"error":');
}
