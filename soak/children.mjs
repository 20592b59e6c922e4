// Every process that the soak starts, so that none is forgotten; and lines of their output as they come.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const living = new Set();

/** @returns the child, with `ended`: resolves with its exit code or signal; `errors`: its last lines on stderr */
export function start(args, { environment = {}, onLine = () => undefined } = {}) {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  living.add(child);
  child.errors = [];
  createInterface({ input: child.stdout }).on("line", onLine);
  createInterface({ input: child.stderr }).on("line", (line) => {
    child.errors.push(line);
    if (child.errors.length > 20) child.errors.shift();
  });
  child.ended = new Promise((resolve) => {
    child.once("close", (code, signal) => {
      living.delete(child);
      resolve(signal ?? code);
    });
  });
  return child;
}

export function killAll() {
  for (const child of living) child.kill("SIGKILL");
}

/** Asks it to end; after `ms` it is killed. @returns how it ended */
export async function end(child, ms = 10_000) {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  try {
    return await child.ended;
  } finally {
    clearTimeout(timer);
  }
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws when it does not come about within `ms` */
export async function until(what, condition, ms = 60_000) {
  for (const deadline = Date.now() + ms; ; await pause(50)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`it did not come about within ${ms} ms that ${what}`);
  }
}
