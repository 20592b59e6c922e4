// `npm start`: sets everything up and runs the main job. Arguments go to the job: `npm start -- --adapter software`.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();

const job = spawn(
  process.execPath,
  [join(root, "examples", "main-job", "main.mjs"), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  },
);
// The job ends its host and guests itself when it is asked to end.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => job.kill(signal));
job.once("error", (error) => {
  console.error(`The main job did not start: ${error.message}`);
  process.exitCode = 1;
});
job.once("exit", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
