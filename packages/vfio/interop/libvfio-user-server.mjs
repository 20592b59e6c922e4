/**
 * `node packages/vfio/interop/libvfio-user-server.mjs SERVER`: uses libvfio-user's sample server, as it is, by our client library.
 *
 * SERVER is the program `samples/server` of a built https://github.com/nutanix/libvfio-user: a PCI function whose BAR0 is the time at
 * which it interrupts, and then writes its client's memory, by messages and through a descriptor, and whose BAR1 is memory. It is asked
 * for everything, reset, heard when it interrupts, migrated to another one, and killed. Takes about 3 s.
 *
 * At its state of June 2026 that program ends by itself: its library wants the size of a BAR to be a power of two, and its BAR1 has three
 * pages. With four (`bar1_size = 0x4000` in samples/server.c) it runs.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Completion, createRuntime } from "parhelion-core";
import {
  EventCounter,
  Feature,
  FeatureFlag,
  IrqSetFlag,
  loadKoffi,
  PciIrq,
  PciRegion,
  parseChain,
  RegionCap,
  RegionFlag,
  VfioUserDevice,
} from "parhelion-vfio";

const program = process.argv[2];
if (program === undefined || !existsSync(program)) {
  console.error("usage: node packages/vfio/interop/libvfio-user-server.mjs PATH/TO/samples/server");
  process.exit(64);
}
const directory = mkdtempSync(join(tmpdir(), "libvfio-user-"));
const runtime = createRuntime();
const koffi = await loadKoffi();
const servers = [];

async function served(name) {
  const path = join(directory, name);
  const child = spawn(program, ["-v", path], { stdio: ["ignore", "inherit", "inherit"] });
  const ended = new Promise((done) => child.once("close", done));
  const server = { child, ended };
  servers.push(server);
  while (!existsSync(path)) await new Promise((done) => setTimeout(done, 20));
  return { ...server, device: await VfioUserDevice.connect(runtime, path, { koffi }) };
}

const held = (what, holds) => {
  console.log(`${holds ? "ok" : "NOT OK"}: ${what}`);
  if (!holds) process.exitCode = 1;
};
const codeOf = (call) =>
  call.then(
    () => "done",
    (error) => error.code,
  );
const word = (value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

/** Memory that is asked for. The server writes it, and then reads it in two pieces. */
class Asked {
  bytes = Buffer.alloc(4096);
  readTwice = new Completion(runtime, "two reads");
  #reads = 0;

  read(at, length) {
    this.#reads += 1;
    if (this.#reads === 2) this.readTwice.completeAll();
    return this.bytes.subarray(Number(at), Number(at) + length);
  }

  write(at, bytes) {
    this.bytes.set(bytes, Number(at));
  }
}

async function use() {
  const { device, child, ended } = await served("first");
  const info = await device.call("GET_INFO", { argsz: 16 });
  held(
    `${info.numRegions} regions, ${info.numIrqs} kinds of interrupts`,
    info.numRegions >= 9 && info.numIrqs >= 5,
  );
  const region = (index) => device.call("GET_REGION_INFO", { argsz: 256, index });
  const [bar0, bar1, config] = await Promise.all(
    [PciRegion.BAR0, PciRegion.BAR1, PciRegion.CONFIG].map(region),
  );
  const size = Number(bar1.size);
  held(`BAR0 has 8 bytes, BAR1 ${size / 4096} pages`, bar0.size === 8n && size >= 0x3000);
  // The chain begins at its place in the structure, as parseChain counts.
  const whole = Buffer.concat([Buffer.alloc(bar1.capOffset), bar1.capabilities]);
  const sparse = parseChain(whole, bar1.capOffset).find(({ id }) => id === RegionCap.SPARSE_MMAP);
  held("BAR1 says what of it can be mapped", (bar1.flags & RegionFlag.MMAP) !== 0 && sparse !== undefined);
  const ids = await device.call("READ", { offset: config.offset, length: 4 });
  held("its configuration space says dead:beef", Buffer.from(ids).toString("hex") === "addeefbe");
  held("no region 99", (await codeOf(region(99))) === "EINVAL");
  held(
    "half of BAR0 is refused",
    (await codeOf(device.call("READ", { offset: bar0.offset, length: 4 }))) === "EINVAL",
  );

  const pattern = Buffer.from(Array.from({ length: size }, (_, i) => (i * 7) & 0xff));
  held("BAR1 takes them all", (await device.call("WRITE", { offset: bar1.offset, bytes: pattern })) === size);
  const reads = await Promise.all(
    Array.from({ length: 8 }, () => device.call("READ", { offset: bar1.offset, length: size })),
  );
  held(
    "… and gives them back, eight reads at once",
    reads.every((bytes) => pattern.equals(bytes)),
  );
  const many = [0, 1, 2].map((i) => ({
    offset: bar1.offset + BigInt(i * 8),
    bytes: pattern.subarray(i * 8, i * 8 + 8),
  }));
  held("several writes in one message", (await device.writeAll(many)) === 3);
  held("it is reset", (await codeOf(device.call("RESET", {}))) === "done");

  const asked = new Asked();
  await device.map(0x10000n, 4096n, asked);
  const second = await device.share(0x20000n, 4096);
  const line = new EventCounter(runtime, "INTx");
  const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
  await device.call("SET_IRQS", { argsz: 24, flags, index: PciIrq.INTX, start: 0, count: 1, data: [line] });
  await device.call("WRITE", { offset: bar0.offset, bytes: word(Math.floor(Date.now() / 1000) + 1) });
  held("it interrupts", (await line.wait()) >= 1);
  // It expects no command while it asks.
  await asked.readTwice.wait();
  await new Promise((done) => setImmediate(done));
  const written = Buffer.concat([0, 1, 2, 3].map((i) => Buffer.alloc(1024, 0x41 + i)));
  held("our memory is written by messages", asked.bytes.equals(written));
  const bytes = Buffer.alloc(4096);
  second.read(0, bytes);
  held("our memory is written through its descriptor", bytes.equals(written));
  held("the memory is taken back", (await device.unmap(0x10000n, 4096n)) === 4096n);

  const state = (to, number) => {
    const data = Buffer.alloc(8);
    data.writeUInt32LE(number);
    return to.call("FEATURE", { argsz: 16, flags: Feature.MIG_DEVICE_STATE | FeatureFlag.SET, data });
  };
  const [stop, running, stopCopy, resuming] = [1, 2, 3, 4];
  await device.call("WRITE", { offset: bar1.offset, bytes: pattern });
  // Another time in the future, for the other one.
  await device.call("WRITE", { offset: bar0.offset, bytes: word(Math.floor(Date.now() / 1000) + 100) });
  const { stream } = await state(device, stopCopy);
  const pieces = [];
  for (;;) {
    const piece = await stream.read(5000);
    if (piece.length === 0) break;
    pieces.push(piece);
  }
  held(`${Buffer.concat(pieces).length} bytes of state come out`, Buffer.concat(pieces).length === size + 8);
  await state(device, stop);
  const target = await served("second");
  const { stream: into } = await state(target.device, resuming);
  for (const piece of pieces) await into.write(piece);
  await state(target.device, running);
  const there = await target.device.call("READ", { offset: bar1.offset, length: size });
  held("… and go into another one", pattern.equals(there));

  await target.device.close();
  held("a server whose client hangs up ends", (await target.ended) === 0);
  child.kill("SIGKILL");
  await ended;
  const why = await device.ended();
  held(`a server that is killed is gone: ${why}`, device.state === "lost" && /the server hung up/.test(why));
  held("… and lets go of its eventfds", line.state === "released");
  held("… and all that is asked of it fails", (await codeOf(device.call("RESET", {}))) === "ENODEV");
  await device.close();
}

const limit = setTimeout(() => {
  console.log("NOT OK: it took more than 30 s");
  process.exitCode = 1;
  for (const { child } of servers) child.kill("SIGKILL");
}, 30_000);
try {
  await use();
} catch (error) {
  console.log(`NOT OK: ${error.stack}`);
  process.exitCode = 1;
} finally {
  clearTimeout(limit);
  for (const { child } of servers) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
}
