/** Uses up all file descriptors of this process, starts an engine, and says how that ended. */
import { closeSync, openSync } from "node:fs";
import { systemClock } from "parhelion-core";
import { startEngineChild } from "./engine-child.js";

const taken: number[] = [];
function takeAll(): void {
  for (;;) {
    try {
      taken.push(openSync("/dev/null", "r"));
    } catch {
      return;
    }
  }
}

const program = { entry: "/unused", nodeFlags: [], environment: {} };
// What is loaded late would find no descriptor.
process.stdout.write("");
takeAll();
const ended = new Promise<string | undefined>((resolve) => {
  const child = startEngineChild(systemClock, program, {
    message: () => undefined,
    output: () => undefined,
    ended: (_exitCode, _signal, error) => resolve(error),
  });
  child.send({ op: "stop" });
  child.pause();
  child.resume();
  child.kill();
});
const error = await ended;
for (const fd of taken) closeSync(fd);
process.stdout.write(`${error}\n`);
