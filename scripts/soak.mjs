// `npm run soak`: sets everything up, then eight programs on eight slices in ten minutes of trouble. See soak/main.mjs.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const soak = spawnSync(process.execPath, [join(root, "soak", "main.mjs"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(soak.status ?? 1);
