/**
 * Measures blocks of disk images through subchannels that are passed through: channel programs by the VFIO interface,
 * translated, interpreted, and carried out by a 3390, beside reading the same image files directly.
 *
 *   node bench/ccw.mjs [--subchannels 1,2,4,8,16,32,64] [--cylinders 6] [--rounds 3]      or: npm run bench -- ccw [...]
 *
 * Build first (npm run build). All subchannels of a line are busy at once; figures are of all of them together, medians of the
 * rounds; those per second of processor time mean something on a busy machine, too. Images are uncompressed and larger than what a disk keeps in memory, so each track is read from its file, which
 * the operating system has cached. "Durable" writes are on the medium when they settle, the others when the disk is closed.
 */
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { CssBus, MdevBus, subchannelName } from "../packages/buses/dist/index.js";
import {
  blockBytes,
  blocksPerTrack,
  CcwBlockDevice,
  ChannelSubsystem,
  Dasd3390,
  DiskImage,
  encodeTrack,
  HostStorage,
  VfioCcw,
} from "../packages/ccw/dist/index.js";
import { System } from "../packages/core/dist/index.js";
import { Vfio } from "../packages/vfio/dist/index.js";

const { values } = parseArgs({
  options: {
    subchannels: { type: "string", default: "1,2,4,8,16,32,64" },
    cylinders: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
  },
});

const HEADS = 15;
const TRACK_SIZE = 56_832;
const HEADER_SIZE = 512;
/** Where the first block of a track begins in it: home address, record zero, a count. */
const FIRST_BLOCK = 5 + 16 + 8;
const RANDOM_READS = 200;
const WRITTEN_BLOCKS = 120;

const cylinders = Number(values.cylinders);
const tracks = cylinders * HEADS;
const blocks = tracks * blocksPerTrack;

function imageBytes() {
  const bytes = new Uint8Array(HEADER_SIZE + tracks * TRACK_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from("CKD_P370", "latin1"));
  view.setUint32(8, HEADS, true);
  view.setUint32(12, TRACK_SIZE, true);
  bytes[16] = 0x90;
  for (let track = 0; track < tracks; track += 1) {
    const home = { cylinder: Math.floor(track / HEADS), head: track % HEADS };
    const record = (number, length) => ({
      ...home,
      record: number,
      key: new Uint8Array(0),
      data: new Uint8Array(length).fill(track + number),
    });
    const records = [record(0, 8)];
    for (let number = 1; number <= blocksPerTrack; number += 1) records.push(record(number, blockBytes));
    bytes.set(encodeTrack({ home, records }), HEADER_SIZE + track * TRACK_SIZE);
  }
  return bytes;
}

async function machine(paths, durable) {
  const system = new System();
  const { runtime } = system;
  const storage = new HostStorage(runtime);
  const subsystem = new ChannelSubsystem(runtime, { storage });
  const css = new CssBus(system, subsystem);
  const mdev = new MdevBus(system);
  const vfio = await Vfio.create(system);
  await css.start();
  const ccw = new VfioCcw({ css, mdev, vfio, storage });
  await ccw.register();
  const disks = [];
  for (const [index, path] of paths.entries()) {
    const image = await DiskImage.open(path, { access: "read-write" });
    const id = subsystem.attach({
      device: new Dasd3390(image, { durable }),
      devno: 0x100 + index,
      chpids: [0x10],
    });
    disks.push({ image, id });
  }
  for (let tries = 0; css.subchannels().length < disks.length && tries < 100; tries += 1) await css.settle();
  await system.waitForProbe();
  const devices = [];
  for (const [index, { id }] of disks.entries()) {
    const uuid = `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`;
    const { devpath } = css.find(subchannelName(id));
    await system.sysfs.write(`/sys${devpath}/mdev_supported_types/vfio_ccw-io/create`, uuid);
    const node = [...mdev.find(uuid).children].find(({ name }) => name.startsWith("vfio")).name;
    devices.push(await CcwBlockDevice.open(system, node, { transferBlocks: 60 }));
  }
  return {
    devices,
    async end() {
      for (const device of devices) await device.close();
      await ccw.unregister();
      await vfio.close();
      await mdev.unregister();
      await css.stop();
      for (const { image } of disks) await image.close();
    },
  };
}

/** Seconds that all of them take together, by the clock and of processor time. */
async function seconds(work) {
  const start = performance.now();
  const used = process.cpuUsage();
  await Promise.all(work);
  const { user, system } = process.cpuUsage(used);
  return { clock: (performance.now() - start) / 1000, processor: (user + system) / 1e6 };
}

/** The same places for everybody. */
function place(step) {
  return (step * 7919) % blocks;
}

async function through(devices) {
  const all = devices.length;
  const read = await seconds(devices.map((device) => device.read(0, blocks)));
  const random = await seconds(
    devices.map(async (device) => {
      for (let step = 0; step < RANDOM_READS; step += 1) await device.read(place(step), 1);
    }),
  );
  const bytes = new Uint8Array(WRITTEN_BLOCKS * blockBytes).fill(7);
  const write = await seconds(devices.map((device) => device.write(0, bytes)));
  return {
    read: (all * blocks * blockBytes) / read.clock / 1e6,
    readProcessor: (all * blocks * blockBytes) / read.processor / 1e6,
    random: (all * RANDOM_READS) / random.clock,
    randomProcessor: (all * RANDOM_READS) / random.processor,
    write: (all * bytes.length) / write.clock / 1e6,
  };
}

async function directly(paths) {
  const files = await Promise.all(paths.map((path) => open(path, "r")));
  const offsetOf = (block) =>
    HEADER_SIZE +
    Math.floor(block / blocksPerTrack) * TRACK_SIZE +
    FIRST_BLOCK +
    (block % blocksPerTrack) * (8 + blockBytes);
  const track = files.map(() => new Uint8Array(TRACK_SIZE));
  const read = await seconds(
    files.map(async (file, index) => {
      for (let at = 0; at < tracks; at += 1) {
        await file.read(track[index], 0, TRACK_SIZE, HEADER_SIZE + at * TRACK_SIZE);
      }
    }),
  );
  const random = await seconds(
    files.map(async (file, index) => {
      for (let step = 0; step < RANDOM_READS; step += 1) {
        await file.read(track[index], 0, blockBytes, offsetOf(place(step)));
      }
    }),
  );
  await Promise.all(files.map((file) => file.close()));
  return {
    read: (files.length * blocks * blockBytes) / read.clock / 1e6,
    readProcessor: (files.length * blocks * blockBytes) / read.processor / 1e6,
    random: (files.length * RANDOM_READS) / random.clock,
    randomProcessor: (files.length * RANDOM_READS) / random.processor,
  };
}

function median(samples, key) {
  const sorted = samples.map((sample) => sample[key]).toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

const folder = await mkdtemp(join(tmpdir(), "parhelion-bench-ccw-"));
try {
  const bytes = imageBytes();
  const sizes = values.subchannels.split(",").map(Number);
  const paths = [];
  for (let index = 0; index < Math.max(...sizes); index += 1) {
    const path = join(folder, `disk${index}.ckd`);
    await writeFile(path, bytes);
    paths.push(path);
  }
  console.log(
    `\n${cpus()[0].model}, ${cpus().length} CPUs, Node ${process.versions.node}; disks of ${blocks} blocks of 4096 bytes\n`,
  );
  console.log(
    "| subchannels | read, MB/s | per processor second | the files | per processor second | 4 KiB reads/s | per processor second | of the files | per processor second | write, MB/s | durable |",
  );
  console.log(`|${" ---: |".repeat(11)}`);
  for (const size of sizes) {
    const some = paths.slice(0, size);
    const samples = { passed: [], direct: [], durable: [] };
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const durable of ["close", "program"]) {
        const made = await machine(some, durable);
        samples[durable === "close" ? "passed" : "durable"].push(await through(made.devices));
        await made.end();
      }
      samples.direct.push(await directly(some));
    }
    const { passed, direct, durable } = samples;
    const figures = (from, key) => [median(from, key), median(from, `${key}Processor`)];
    const cells = [
      ...figures(passed, "read"),
      ...figures(direct, "read"),
      ...figures(passed, "random"),
      ...figures(direct, "random"),
      median(passed, "write"),
      median(durable, "write"),
    ].map((figure) => (figure >= 10 ? figure.toFixed(0) : figure.toPrecision(2)));
    console.log(`| ${size} | ${cells.join(" | ")} |`);
  }
} finally {
  await rm(folder, { recursive: true });
}
