// `npm run bench`: sets everything up and measures. See bench/main.mjs for the options.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const bench = spawnSync(process.execPath, [join(root, "bench", "main.mjs"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(bench.status ?? 1);
