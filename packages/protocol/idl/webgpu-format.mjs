// Generated code goes through the repository's formatter, so that it reads like the rest.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const BIOME = resolve(
  dirname(createRequire(import.meta.url).resolve("@biomejs/biome/package.json")),
  "bin/biome",
);

/** @param {{ path: string, text: string }} file other languages than TypeScript stay as they are */
export function formatted({ path, text }) {
  if (!path.endsWith(".ts")) return { path, text };
  // Under a name that the configuration doesn't exclude.
  const name = `packages/protocol/${path.replace("/generated/", "/")}`;
  const run = spawnSync(process.execPath, [BIOME, "format", `--stdin-file-path=${name}`], {
    cwd: ROOT,
    input: text,
    encoding: "utf8",
  });
  if (run.status !== 0) throw new Error(`${path} can't be formatted: ${run.error ?? run.stderr}`);
  return { path, text: run.stdout };
}
