/** What a program needs in its environment to be inside a guest, and which files it must be able to read for that. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The module that installs `navigator.gpu`. */
export function registerHook(): string {
  return import.meta.resolve("parhelion-client/register");
}

/**
 * @param directory the guest's run directory
 * @param base what the program would have had otherwise
 */
export function guestEnvironment(directory: string, base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const hook = `--import=${registerHook()}`;
  const options = base["NODE_OPTIONS"];
  return {
    ...base,
    PARHELION_DIR: directory,
    NODE_OPTIONS: options === undefined || options === "" ? hook : `${options} ${hook}`,
  };
}

/** The same as lines for a POSIX shell, and who serves the guest. */
export function guestExports(directory: string, pid: number): string[] {
  const hook = quote(`--import=${registerHook()}`);
  return [
    `export PARHELION_DIR=${quote(directory)}`,
    `export PARHELION_GUEST_PID=${pid}`,
    `export NODE_OPTIONS="\${NODE_OPTIONS:+$NODE_OPTIONS }"${hook}`,
  ];
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Directories that the register hook and what it imports live in: a sandbox shows them read-only. */
export function clientDirectories(): string[] {
  const client = packageDirectory(fileURLToPath(registerHook()));
  const found = [client];
  // Node resolves from the client's real path upwards, so the folder that links its dependencies must be visible as well.
  for (let directory = client; directory !== dirname(directory); directory = dirname(directory)) {
    const modules = join(directory, "node_modules");
    const protocol = join(modules, "parhelion-protocol");
    if (!existsSync(protocol)) continue;
    found.push(modules, realpathSync(protocol));
    break;
  }
  return found;
}

function packageDirectory(path: string): string {
  for (let directory = dirname(realpathSync(path)); ; directory = dirname(directory)) {
    if (existsSync(join(directory, "package.json")) || directory === dirname(directory)) return directory;
  }
}
