// Everything a fresh clone needs before it can run: dependencies and a build. Uses nothing but Node itself,
// because nothing else is there yet. Does no work that is already done.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const MINIMUM_NODE = [20, 19];

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  console.error(`Parhelion needs Node ${MINIMUM_NODE.join(".")} or newer; this is ${process.version}.`);
  process.exit(1);
}

/** Runs a command to its end and ends this process when it fails, showing what the command said. */
export function mustRun(what, command, args, { quiet = false } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
  });
  if (result.status === 0) return;
  if (quiet)
    process.stderr.write(Buffer.concat([result.stdout ?? Buffer.alloc(0), result.stderr ?? Buffer.alloc(0)]));
  console.error(
    `${what} failed: ${[command, ...args].join(" ")} ${result.error ? result.error.message : `ended with ${result.status ?? result.signal}`}`,
  );
  process.exit(1);
}

function install(say) {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".cache", "parhelion", "installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing dependencies (npm ci) …");
  // No package of ours needs its install script: the native parts arrive prebuilt inside the packages.
  mustRun("npm ci", process.platform === "win32" ? "npm.cmd" : "npm", [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  mkdirSync(join(stamp, ".."), { recursive: true });
  writeFileSync(stamp, lock);
}

function build(say) {
  say("building …");
  mustRun("The build", process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"]);
}

export function setUp({ say = (text) => console.error(text) } = {}) {
  requireNode();
  install(say);
  build(say);
}

/** Removes build output, so that files whose source is gone do not linger as tests. */
export function clean() {
  for (const name of readdirSync(join(root, "packages"))) {
    rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
  }
}
