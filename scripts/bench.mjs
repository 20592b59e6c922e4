// `npm run bench`: sets everything up and measures. See bench/main.mjs for the options.
// `npm run bench -- scale`: the device model with many devices instead. See bench/scale.mjs.
// `npm run bench -- ccw`: blocks of disk images through subchannels. See bench/ccw.mjs.
// `npm run bench -- explorer`: the explorer instead; with `cells` or `shipped` one half of it. See bench/explorer.mjs.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup.mjs";

setUp();
const args = process.argv.slice(2);
const program = ["scale", "explorer", "time", "ccw"].includes(args[0]) ? args.shift() : "main";
const bench = spawnSync(process.execPath, [join(root, "bench", `${program}.mjs`), ...args], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exit(bench.status ?? 1);
