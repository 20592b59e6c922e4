/**
 * A guest's run directory: `<state>/g/<id>`. The guest kernel puts its nodes there and engines their queue sockets, so its name is
 * as short as a Unix socket's path demands. The host makes it and takes it away with all that is in it.
 */
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../host-error.js";
import { checkSocketPath, longestSocketSuffix } from "../state/socket-path.js";

/** @throws HostError socket-path-too-long when no guest's sockets would fit below this state directory */
export function checkRoomForGuests(stateDirectory: string): void {
  checkSocketPath(`${stateDirectory}${longestSocketSuffix}`);
}

/**
 * Removes the run directories of all guests but these, whose directories lose what a dead host's engines left there. Their
 * kernels may be alive, and their nodes stay. Only with the state directory's lock held, and while no engine runs.
 * @param kept ids
 */
export async function clearRunDirectories(stateDirectory: string, kept: ReadonlySet<string>): Promise<void> {
  const all = join(stateDirectory, "g");
  const names = await readdir(all).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw error;
  });
  for (const name of names) {
    if (!kept.has(name)) {
      await removeRunDirectory(join(all, name));
      continue;
    }
    for (const file of await readdir(join(all, name)))
      if (isQueueSocket(file)) await rm(join(all, name, file), { force: true });
  }
  // Where it is empty nobody misses it.
  await rmdir(all).catch(() => undefined);
}

/** Where the guests' run directories are made. */
export interface RunDirectories {
  /** One that is there already is taken. @param id 8 hex digits. @returns its path */
  make(id: string): Promise<string>;
  remove(directory: string): Promise<void>;
}

export function runDirectoriesIn(stateDirectory: string): RunDirectories {
  return { make: (id) => makeRunDirectory(stateDirectory, id), remove: removeRunDirectory };
}

/** @param id 8 hex digits */
async function makeRunDirectory(stateDirectory: string, id: string): Promise<string> {
  const directory = join(stateDirectory, "g", id);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

async function removeRunDirectory(directory: string): Promise<void> {
  // A guest's kernel that hears of the end just now may still write there, between the emptying and the removal.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

/** Where the engine of a guest's slice `index` listens. */
export function queueSocketName(index: number): string {
  return `q${index}`;
}

function isQueueSocket(name: string): boolean {
  return /^q\d+$/.test(name);
}
