/**
 * Loaded into an engine's process beside the engine: when it is asked, after the engine is ready, it tries what an engine whose guest
 * has taken it over would try, and says how each attempt ended.
 */
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

export interface ProbeRequest {
  readonly probe: {
    /** A directory that is another guest's, with a file `secret` in it. */
    readonly elsewhere: string;
    readonly own: string;
    readonly port: number;
    /** A Unix socket that somebody listens on. */
    readonly socket: string;
    /** A process of the same user. */
    readonly sibling: number;
  };
}

/** Error codes, or `allowed`, by what was tried; and what the process says of itself. */
export interface ProbeReport {
  readonly attempts: Readonly<Record<string, string>>;
  readonly environment: readonly string[];
  readonly directory: string;
  readonly coreLimit: string;
  readonly files: readonly string[];
  /** /proc/self/task/N/status of each thread. */
  readonly threads: readonly string[];
}

function attempt(act: () => unknown): string {
  try {
    act();
    return "allowed";
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code ?? error);
  }
}

function connecting(to: { readonly path: string } | { readonly port: number }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", ...to });
    socket.once("connect", () => resolve("allowed"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  });
}

function datagram(): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.bind(0, "127.0.0.1", () => resolve("allowed"));
  });
}

async function traced(pid: number): Promise<string> {
  const { default: koffi } = await import("koffi");
  const libc = koffi.load("libc.so.6");
  const ptrace = libc.func("long ptrace(long request, long pid, long address, long data)") as (
    ...args: readonly number[]
  ) => number;
  const attach = 16;
  return ptrace(attach, pid, 0, 0) === 0 ? "allowed" : `errno ${koffi.errno()}`;
}

async function tryAll({
  elsewhere,
  own,
  port,
  socket,
  sibling,
}: ProbeRequest["probe"]): Promise<ProbeReport> {
  const attempts = {
    "read /etc/shadow": attempt(() => readFileSync("/etc/shadow")),
    "read another guest's file": attempt(() => readFileSync(join(elsewhere, "secret"))),
    "list another guest's directory": attempt(() => readdirSync(elsewhere)),
    "write another guest's file": attempt(() => writeFileSync(join(elsewhere, "secret"), "")),
    "make a file elsewhere": attempt(() => writeFileSync(join(elsewhere, "new"), "")),
    "make a directory elsewhere": attempt(() => mkdirSync(join(elsewhere, "directory"))),
    "make a file beside its own socket": attempt(() => writeFileSync(join(own, "new"), "")),
    "read a sibling's environment": attempt(() => readFileSync(`/proc/${sibling}/environ`)),
    "signal a sibling": attempt(() => process.kill(sibling, 0)),
    "trace a sibling": await traced(sibling),
    "start a program": attempt(() => {
      const { error } = spawnSync(process.execPath, ["-e", "0"]);
      if (error !== undefined) throw error;
    }),
    "connect over TCP": await connecting({ port }),
    "connect to the host's socket": await connecting({ path: socket }),
    "send datagrams": await datagram(),
  };
  return {
    attempts,
    environment: Object.keys(process.env),
    directory: process.cwd(),
    coreLimit: /Max core file size\s+(\S+)/.exec(readFileSync("/proc/self/limits", "latin1"))?.[1] ?? "",
    files: readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        // The one that the directory was read with.
        return [];
      }
    }),
    threads: readdirSync("/proc/self/task").map((task) =>
      readFileSync(`/proc/self/task/${task}/status`, "latin1"),
    ),
  };
}

/** Not before the engine listens as well: whoever listens first gets what has been waiting, and others do not. */
function begin(): void {
  if (process.listenerCount("message") === 0) {
    setImmediate(begin);
    return;
  }
  process.on("message", (message: Partial<ProbeRequest>) => {
    if (message.probe !== undefined) void tryAll(message.probe).then((report) => process.send?.(report));
  });
  process.send?.({ op: "here" });
}

// It is loaded twice: into the program that becomes the engine, which would lose what is sent to it now, and into the engine.
if (process.env["PARHELION_SANDBOX_APPLIED"] !== undefined) begin();
