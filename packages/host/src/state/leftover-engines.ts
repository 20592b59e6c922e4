/**
 * Engines that outlived a host which was killed. Each carries in its environment whose it is, from its first moment on; the kernel
 * kills most of them with their host, and the others end when they look. One that hangs in a driver does not look.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import type { Clock } from "parhelion-core";

/** Environment variable of engines. */
export const engineMark = "PARHELION_ENGINE_OF";

/** How long a killed process may take to be gone, in ms, and how often that is looked at. */
const patienceMs = 2000;
const lookMs = 5;

/** The value of the variable: the directory's identity, which links and bind mounts share. */
export async function markOf(stateDirectory: string): Promise<string> {
  const { dev, ino } = await stat(stateDirectory, { bigint: true });
  return `${dev}-${ino}`;
}

/**
 * Kills them and waits until they are gone. Only with the state directory's lock held: then no living host has engines here. Finds
 * none where there is no /proc.
 * @returns what was killed, and what is not gone yet
 */
export async function killLeftoverEngines(
  mark: string,
  clock: Clock,
): Promise<{ readonly killed: readonly number[]; readonly staying: readonly number[] }> {
  const killed = await enginesOf(mark);
  for (const pid of killed) kill(pid);
  let staying = killed;
  for (const deadline = clock.now() + patienceMs; staying.length > 0 && clock.now() < deadline; ) {
    await new Promise<void>((resolve) => {
      clock.setTimer(lookMs, resolve);
    });
    const living = await Promise.all(staying.map((pid) => isEngineOf(mark, pid)));
    staying = staying.filter((_, i) => living[i]);
  }
  return { killed, staying };
}

async function enginesOf(mark: string): Promise<readonly number[]> {
  if (process.platform !== "linux") return [];
  const names = await readdir("/proc").catch(() => []);
  const found: number[] = [];
  for (const name of names) {
    const pid = Number(name);
    if (Number.isSafeInteger(pid) && pid !== process.pid && (await isEngineOf(mark, pid))) found.push(pid);
  }
  return found;
}

/** False for what has ended, even while its parent does not look, and for what is another user's. */
async function isEngineOf(mark: string, pid: number): Promise<boolean> {
  // An engine that has begun lets nobody read its environment; it has the mark among its arguments then.
  for (const file of ["environ", "cmdline"]) {
    const words = await readFile(`/proc/${pid}/${file}`, "latin1").catch(() => "");
    if (words.split("\0").includes(`${engineMark}=${mark}`)) return true;
  }
  return false;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
