// An engine process on its own, without host and guest, and `gpu` objects whose devices live in it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGPU, processRuntime } from "parhelion-client";
import { createEngineLauncher } from "parhelion-engine";
import { connectQueue, noSlice } from "parhelion-protocol";

export async function startEngine(kind, quota = {}, environment = {}) {
  const launcher = createEngineLauncher();
  const directory = mkdtempSync(join(tmpdir(), "parhelion-bench-"));
  const path = join(directory, "q");
  // A garbage collection when it is asked for: what nobody needs is no memory that an object takes.
  const collecting = `data:text/javascript,${encodeURIComponent('process.on("SIGUSR2", () => { gc(); gc(); });')}`;
  const flags = ["--expose-gc", "--max-semi-space-size=1", "--import", collecting];
  const child = spawn(process.execPath, [...flags, launcher.entry], {
    cwd: directory,
    env: { ...(await launcher.environmentFor(kind)), ...environment },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const answers = new Map();
  const first = new Promise((resolve) => {
    child.on("message", (message) => {
      if (message.op === "ready" || message.op === "failed") resolve(message);
      else answers.get(message.id)?.(message);
    });
  });
  let ids = 0;
  const ask = (message) =>
    new Promise((resolve) => {
      const id = ++ids;
      answers.set(id, resolve);
      child.send({ ...message, id });
    });
  const service = { ...noSlice, quota: { ...noSlice.quota, ...quota } };
  child.send({ op: "start", queuePath: path, dawn: [], forceFallback: kind === "software", ...service });
  const ready = await first;
  if (ready.op !== "ready") throw new Error(ready.message);
  let devices = 0;
  const source = {
    whyNone: () => undefined,
    wgslLanguageFeatures: () => ready.adapter.wgslLanguageFeatures,
    onAdaptersChanged: () => () => undefined,
    openAdapter: async () => ({ description: ready.adapter, slice: null, createDevice }),
  };
  async function createDevice(request) {
    const device = ++devices;
    const made = await ask({ op: "createDevice", device, owner: 1, request });
    if (made.op !== "created") throw new Error(made.refusal.message);
    const token = device.toString(16).padStart(32, "0");
    await ask({ op: "createQueue", device, queue: device, token });
    const port = await connectQueue({ endpoint: { path }, token });
    return { grant: made.grant, port, serial: device, onLost: () => undefined, release: () => port.close() };
  }
  return {
    gpu: createGPU(source, processRuntime),
    description: ready.adapter.info.description,
    /** Bytes that the ledger counts. */
    counted: async () => (await ask({ op: "statistics" })).statistics.residentBytes,
    collect: async () => {
      child.kill("SIGUSR2");
      for (let turn = 0; turn < 20; turn++) await ask({ op: "statistics" });
    },
    /** Bytes that the process has resident, a shared page counted by its share. */
    resident: () => {
      const rollup = readFileSync(`/proc/${child.pid}/smaps_rollup`, "utf8");
      return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)[1]) * 1024;
    },
    /** ms of processor time since its start. */
    cpuMs: () => {
      const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    end: async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.send({ op: "stop" });
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
