/**
 * A guest's run directory: `<state>/g/<id>`. The guest kernel puts its nodes there and engines their queue sockets, so its name is
 * as short as a Unix socket's path demands. The host makes it and takes it away with all that is in it.
 */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkSocketPath, longestSocketSuffix } from "../state/socket-path.js";

/** @throws HostError socket-path-too-long when no guest's sockets would fit below this state directory */
export function checkRoomForGuests(stateDirectory: string): void {
  checkSocketPath(`${stateDirectory}${longestSocketSuffix}`);
}

/** Removes what a host that was killed left behind. Only with the state directory's lock held. */
export async function clearRunDirectories(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, "g"), { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

/** Where the guests' run directories are made. */
export interface RunDirectories {
  /** @param id 8 hex digits. @returns its path */
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
