// `npm run fuzz`: sets everything up and fuzzes. See fuzz/main.mjs for the options.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const fuzz = spawnSync(process.execPath, [join(root, "fuzz", "main.mjs"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(fuzz.status ?? 1);
