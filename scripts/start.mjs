// `npm start`: sets everything up and runs the main job. Arguments go to the job: `npm start -- --adapter software`.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const job = spawnSync(
  process.execPath,
  [join(root, "examples", "main-job", "main.mjs"), ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  },
);
process.exit(job.status ?? 1);
