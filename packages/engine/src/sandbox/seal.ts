/**
 * What an engine gives up once Dawn and the driver are loaded and the adapter is known, before it reads a byte from a guest. The rest
 * was taken from it before it began: see enter.cts.
 */
import type { KoffiModule } from "parhelion-protocol";
import { Refusal } from "../refusal.js";
import { denyFilter, systemCallsOf } from "./system-calls.js";

/** Names of what `enter.cts` took away, separated by blanks. */
export const SANDBOX_APPLIED = "PARHELION_SANDBOX_APPLIED";
/** `best` (default): what the system has. `required`: an engine that gets less does not start. `off`. */
export const SANDBOX = "PARHELION_SANDBOX";

export type SandboxWish = "best" | "required" | "off";

/** What `required` wants; `namespaces` are there for a host that root runs, and add nothing that the others leave open. */
const wanted = [
  "no-new-privileges",
  "limits",
  "no-capabilities",
  "landlock",
  "seccomp",
  "not-dumpable",
] as const;

const PR_SET_DUMPABLE = 4;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/**
 * @returns names of all that holds from now on, this part and the first
 * @throws Refusal `sandbox-incomplete` when all of it is required and something is missing
 */
export function seal(
  koffi: KoffiModule | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const wish = environment[SANDBOX] ?? "best";
  const applied = (environment[SANDBOX_APPLIED] ?? "").split(" ").filter((name) => name !== "");
  if (wish !== "off" && koffi !== undefined && process.platform === "linux") {
    // Without the first part the kernel would want privileges for the second.
    if (applied.includes("no-new-privileges") && denySystemCalls(koffi)) applied.push("seccomp");
    if (applied.length > 0 && refuseInspection(koffi)) applied.push("not-dumpable");
  }
  if (wish === "required") {
    const missing = wanted.filter(
      (name) => !applied.some((each) => each === name || each.startsWith(`${name}-`)),
    );
    if (missing.length > 0)
      throw new Refusal(
        "sandbox-incomplete",
        `this system does not give the engine's whole sandbox: ${missing.join(", ")} missing. Run on a kernel that has it (Landlock: 5.13), install koffi, or do without --require-sandbox.`,
      );
  }
  return applied;
}

/** Other processes of the same user neither read nor trace this one, and nothing of its memory is ever written to a file. */
function refuseInspection(koffi: KoffiModule): boolean {
  try {
    const prctl = koffi.load("libc.so.6").func("int prctl(int option, unsigned long value)") as (
      option: number,
      value: number,
    ) => number;
    return prctl(PR_SET_DUMPABLE, 0) === 0;
  } catch {
    return false;
  }
}

/** For all threads at once, or not at all. */
function denySystemCalls(koffi: KoffiModule): boolean {
  const calls = systemCallsOf(process.arch);
  if (calls === undefined) return false;
  const seccomp = process.arch === "x64" ? 317 : 277;
  const filter = denyFilter(calls);
  try {
    const libc = koffi.load("libc.so.6");
    const mmap = libc.func(
      "void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)",
    ) as (at: null, bytes: number, prot: number, flags: number, fd: number, from: number) => bigint;
    const syscall = libc.func(
      "long syscall(long number, unsigned long operation, unsigned long flags, void *program)",
    ) as (number: number, operation: number, flags: number, program: bigint) => number;
    // struct sock_fprog { unsigned short len; struct sock_filter *filter; }, and the filter behind it.
    const bytes = 16 + filter.length;
    const at = mmap(null, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
    const memory = koffi.view(at, bytes);
    const view = new DataView(memory);
    view.setUint16(0, filter.length / 8, true);
    view.setBigUint64(8, at + 16n, true);
    new Uint8Array(memory, 16).set(filter);
    // The page stays: a view of it may be alive for as long as the collector likes.
    return syscall(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, at) === 0;
  } catch {
    return false;
  }
}
