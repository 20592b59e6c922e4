import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { noSlice } from "parhelion-protocol";
import { loadKoffi } from "../koffi.js";
import { createEngineLauncher } from "../launcher.js";
import type { ProbeReport, ProbeRequest } from "./probe.test.child.js";

const probe = fileURLToPath(new URL("./probe.test.child.js", import.meta.url));

/** Without it nobody gives up what the others are. */
const CAP_SETPCAP = 1n << 8n;

interface Ready {
  readonly op: string;
  readonly sandbox: readonly string[];
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code, signal) => reject(new Error(`the engine ended with ${signal ?? code}`)));
  });
}

function listening(
  server: Server,
  where: { readonly port: number } | { readonly path: string },
): Promise<void> {
  return new Promise((resolve) => server.listen({ host: "127.0.0.1", ...where }, resolve));
}

describe("an engine's process", { timeout: 300_000, skip: process.platform !== "linux" }, () => {
  const mine = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  const capabilities = BigInt(`0x${mine ?? "0"}`);
  const root = mkdtempSync(join(tmpdir(), "parhelion-sandbox-"));
  const [own, elsewhere] = [join(root, "own"), join(root, "elsewhere")];
  const [tcp, unix] = [createServer(), createServer()];
  let child: ChildProcess;
  let sandbox: readonly string[];
  let report: ProbeReport;

  before(async () => {
    mkdirSync(own);
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, "secret"), "theirs");
    await listening(tcp, { port: 0 });
    await listening(unix, { path: join(own, "admin") });
    const launcher = createEngineLauncher({ environment: { ...process.env, A_SECRET: "of the host" } });
    const inherited = openSync(join(elsewhere, "secret"), "r");
    child = spawn(process.execPath, ["--import", probe, launcher.entry], {
      cwd: own,
      env: await launcher.environmentFor("null"),
      stdio: ["ignore", "ignore", "inherit", "ipc", inherited],
    });
    closeSync(inherited);
    await nextMessage(child);
    const ready = nextMessage<Ready>(child);
    child.send({ op: "start", queuePath: join(own, "q"), dawn: [], forceFallback: false, ...noSlice });
    ({ sandbox } = await ready);
    const answer = nextMessage<ProbeReport>(child);
    const { port } = tcp.address() as AddressInfo;
    const request: ProbeRequest = {
      probe: { elsewhere, own, port, socket: join(own, "admin"), sibling: process.pid },
    };
    child.send(request);
    report = await answer;
  });

  after(async () => {
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
    tcp.close();
    unix.close();
    rmSync(root, { recursive: true, force: true });
  });

  /** Skips where the system has not got what it takes. */
  const needs = (measure: string, context: TestContext): boolean => {
    if (sandbox.some((each) => each === measure || each.startsWith(`${measure}-`))) return true;
    context.skip(`this system has no ${measure} for engines; it gave ${sandbox.join(", ") || "nothing"}`);
    return false;
  };
  const denied = (attempt: string): void =>
    assert.match(report.attempts[attempt] as string, /^(EACCES|EPERM|errno (1|13))$/, attempt);

  it("is given all of the sandbox that this system has", async () => {
    const koffi = await loadKoffi();
    if (koffi === undefined) {
      assert.deepEqual(sandbox, []);
      return;
    }
    const wanted = ["no-new-privileges", "limits", "not-dumpable"];
    if (capabilities === 0n || (capabilities & CAP_SETPCAP) !== 0n) wanted.push("no-capabilities");
    if (existsSync("/proc/sys/kernel/seccomp/actions_avail")) wanted.push("seccomp");
    const query = koffi
      .load("libc.so.6")
      .func("long syscall(long number, const void *attributes, unsigned long size, unsigned long flags)") as (
      ...args: readonly unknown[]
    ) => number;
    const version = query(444, null, 0, 1);
    if (version > 0) wanted.push(`landlock-${Math.min(version, 6)}`);
    for (const measure of wanted)
      assert.ok(sandbox.includes(measure), `${measure} is not among ${sandbox.join(", ")}`);
  });

  it("reads no files but the system's and its own", (context) => {
    if (!needs("landlock", context)) return;
    denied("read /etc/shadow");
    denied("read another guest's file");
    denied("list another guest's directory");
  });

  it("writes nothing, not even beside its socket", (context) => {
    if (!needs("landlock", context)) return;
    denied("write another guest's file");
    denied("make a file elsewhere");
    denied("make a directory elsewhere");
    denied("make a file beside its own socket");
  });

  it("sees nothing of other processes of its user, and does nothing to them", (context) => {
    if (!needs("landlock", context)) return;
    denied("read a sibling's environment");
    if (!needs("seccomp", context)) return;
    denied("trace a sibling");
  });

  it("sends no signals to others", (context) => {
    if (!needs("landlock-6", context)) return;
    denied("signal a sibling");
  });

  it("starts no programs and connects to nobody", (context) => {
    if (!needs("seccomp", context)) return;
    denied("start a program");
    denied("connect over TCP");
    denied("connect to the host's socket");
    denied("send datagrams");
  });

  it("is shut in on all of its threads", (context) => {
    if (!needs("seccomp", context)) return;
    assert.ok(report.threads.length > 1);
    for (const status of report.threads) {
      assert.match(status, /^NoNewPrivs:\s*1$/m);
      assert.match(status, /^Seccomp:\s*2$/m);
      if (sandbox.includes("no-capabilities")) assert.match(status, /^CapEff:\s*0+$/m);
    }
  });

  it("has inherited neither files nor secrets nor a directory", (context) => {
    if (!needs("limits", context)) return;
    assert.ok(!report.files.includes(join(elsewhere, "secret")));
    assert.ok(!report.environment.includes("A_SECRET"));
    assert.equal(report.directory, "/");
    assert.equal(report.coreLimit, "0");
  });
});
