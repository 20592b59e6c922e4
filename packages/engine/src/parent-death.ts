/**
 * Has the kernel kill this process when its host dies. The end of the IPC channel says the same, but only to an event loop that
 * turns: a driver's call that never returns would outlive the host, and so would a stopped process.
 */
import type { KoffiModule } from "parhelion-protocol";

const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

/** @returns whether the kernel has taken it; without it the IPC channel's end has to do */
export function dieWithParent(koffi: KoffiModule): boolean {
  if (process.platform !== "linux") return false;
  try {
    const prctl = koffi.load("libc.so.6").func("int prctl(int option, unsigned long signal)") as (
      option: number,
      signal: number,
    ) => number;
    return prctl(PR_SET_PDEATHSIG, SIGKILL) === 0;
  } catch {
    return false;
  }
}
