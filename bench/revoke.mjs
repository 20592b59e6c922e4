// How long it takes from the administrator's call until the last promise of the last program has settled, when a slice is taken from a
// guest: `node bench/revoke.mjs [--programs 20] [--pending 50] [--rounds 5] [--busy] [--way unbind]`. Each program has that many maps pending. Their
// engine is stopped with SIGSTOP meanwhile, so that nothing but the revocation can settle them; with --busy it works on.
// All processes read one monotonic clock. Prints a table and, last, one JSON line.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { createEngineLauncher } from "parhelion-engine";
import { AdminClient, startHost } from "parhelion-host";
import { platformClock, SysClient } from "parhelion-protocol";

const { values } = parseArgs({
  options: {
    programs: { type: "string", default: "20" },
    pending: { type: "string", default: "50" },
    rounds: { type: "string", default: "5" },
    busy: { type: "boolean", default: false },
    way: { type: "string" },
  },
});
const [programs, pending, rounds] = [values.programs, values.pending, values.rounds].map(Number);

const kernelSource = `
import { startGuestKernel } from "parhelion-guest";
const { vmbus, credential, directory } = JSON.parse(process.env.GUEST);
await startGuestKernel({ connect: { path: vmbus }, credential, directory });
console.log("ready");
process.on("SIGTERM", () => process.exit(0));
`;

const programSource = `
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const count = ${pending};
const buffers = Array.from({ length: count }, () =>
  device.createBuffer({ size: 64, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }));
await device.queue.onSubmittedWorkDone();
console.log("ready");
for await (const line of (await import("node:readline")).createInterface({ input: process.stdin })) if (line === "go") break;
const settled = [];
const note = () => settled.push(process.hrtime.bigint());
let open = count;
const maps = buffers.map((buffer) => buffer.mapAsync(GPUMapMode.READ).then(note, note));
const lost = device.lost.then(({ message }) => { note(); return message; });
await new Promise((resolve) => setTimeout(resolve, 20));
console.log("pending " + (count - settled.length));
await Promise.all(maps);
const message = await lost;
console.log("settled " + JSON.stringify({ at: settled.map(String), message }));
process.exit(0);
`;

function run(source, flags, environment) {
  const child = spawn(process.execPath, [...flags, "--input-type=module", "-e", source], {
    cwd: new URL(".", import.meta.url).pathname,
    env: { ...process.env, ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = [];
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting.splice(0)) look();
  });
  return {
    child,
    async line(start) {
      for (;;) {
        const found = lines.find((line) => line.startsWith(start));
        if (found !== undefined) return found.slice(start.length).trim();
        await new Promise((resolve) => waiting.push(resolve));
      }
    },
  };
}

const ways = {
  "slice remove": ({ admin, uuid }) => admin.request("sliceRemove", { uuid }),
  unbind: async ({ tree, uuid }) => tree.write("/sys/bus/mdev/drivers/projected/unbind", uuid),
  "adapter remove": ({ admin }) => admin.request("adapterRemove", { name: "adapter0" }),
  "guest remove": ({ host, guest }) => host.guestRemove(guest.id),
  "host stop": ({ host }) => host.stop(),
};

async function once(take) {
  const stateDirectory = await mkdtemp(join(tmpdir(), "phr-"));
  const launcher = createEngineLauncher();
  const host = await startHost({
    launcher,
    stateDirectory,
    adapter: "software",
    logLevel: "silent",
    store: "memory",
  });
  const guest = await host.guestCreate();
  const kernel = run(kernelSource, [], { GUEST: JSON.stringify(guest) });
  await kernel.line("ready");
  const flags = ["--import", "parhelion-client/register"];
  const started = Array.from({ length: programs }, () =>
    run(programSource, flags, { PARHELION_DIR: guest.directory }),
  );
  for (const program of started) await program.line("ready");
  const [{ uuid, engine }] = (await host.status()).slices;
  const admin = await AdminClient.connect(host.adminSocket, platformClock);
  const tree = await SysClient.connect(join(stateDirectory, "sys"));
  if (!values.busy) process.kill(engine.pid, "SIGSTOP");
  for (const { child } of started) child.stdin.write("go\n");
  let open = 0;
  for (const program of started) open += Number(await program.line("pending"));
  const from = process.hrtime.bigint();
  const taken = take({ host, guest, admin, tree, uuid });
  const outcomes = await Promise.all(started.map((program) => program.line("settled")));
  const times = outcomes.flatMap((line) => JSON.parse(line).at.map((at) => Number(BigInt(at) - from) / 1e6));
  await taken;
  const returned = Number(process.hrtime.bigint() - from) / 1e6;
  tree.close();
  admin.close();
  kernel.child.kill();
  await host.stop();
  await rm(stateDirectory, { recursive: true, force: true });
  return { times: times.filter((ms) => ms >= 0), open, returned, message: JSON.parse(outcomes[0]).message };
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
const results = {};
console.log(
  `${programs} programs, ${pending} maps each, ${rounds} rounds; ms from the call until a promise has settled\n`,
);
console.log("| way | pending | p50 | p99 | last | call returns |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const [way, take] of Object.entries(ways)) {
  if (values.way !== undefined && values.way !== way) continue;
  const all = [];
  const lasts = [];
  const returns = [];
  let open = 0;
  for (let round = 0; round < rounds; round++) {
    const outcome = await once(take);
    all.push(...outcome.times);
    lasts.push(Math.max(...outcome.times));
    returns.push(outcome.returned);
    open += outcome.open;
  }
  all.sort((a, b) => a - b);
  const p = {
    p50: quantile(all, 0.5),
    p99: quantile(all, 0.99),
    last: Math.max(...lasts),
    returns: Math.max(...returns),
  };
  results[way] = { ...p, pending: open / rounds };
  const cells = [p.p50, p.p99, p.last, p.returns].map((ms) => ms.toFixed(1));
  console.log(`| ${[way, open / rounds, ...cells].join(" | ")} |`);
}
console.log(JSON.stringify({ programs, pending, rounds, engine: values.busy ? "busy" : "stopped", results }));
