import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { subchannelName } from "parhelion-buses";
import { AttachedDevice, IrqSetFlag } from "parhelion-vfio";
import type { DiskImage } from "../image/disk-image.js";
import { type Rig, rig } from "../vfio-ccw/rig.test.fixture.js";
import { CcwBlockDevice, type CcwBlockOptions } from "./block-device.js";
import { blockBytes, blocksPerTrack, EckdCommand } from "./eckd.js";
import { BlockError } from "./error.js";

/** A block as it stands on the image, read without any of this. */
async function blockOf(image: DiskImage, block: number): Promise<Buffer> {
  const { records } = await image.read(Math.floor(block / blocksPerTrack));
  const record = records.find((each) => each.record === (block % blocksPerTrack) + 1);
  assert.ok(record, `block ${block} is on the image`);
  return Buffer.from(record.data);
}

function pattern(blocks: number, seed: number): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: blocks * blockBytes }, (_, index) => index * 31 + (index >> 9) + seed),
  );
}

async function open(machine: Rig, options: CcwBlockOptions = {}) {
  const disk = await machine.disk();
  const name = await machine.passThrough(disk.id);
  return { ...disk, name, device: await CcwBlockDevice.open(machine.system, name, options) };
}

/** What a call came to, without its bytes. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(error instanceof BlockError, String(error));
    return error.code;
  }
}

async function finish(machine: Rig): Promise<void> {
  await machine.end();
  assert.equal(machine.storage.used, 0, "frames of main storage are left");
  assert.deepEqual(
    machine.log.filter(({ level }) => level === "error").map(({ event }) => event),
    [],
  );
}

test("what is written through the subchannel is what stands on the image, and the reverse", async () => {
  const machine = await rig();
  const { image, device } = await open(machine, { transferBlocks: 20 });
  assert.deepEqual([device.disk, device.blocks], [{ cylinders: 2, heads: 15 }, 360]);
  const bytes = pattern(50, 1);
  await device.write(7, bytes);
  for (const block of [7, 11, 12, 30, 56]) {
    const at = (block - 7) * blockBytes;
    assert.deepEqual(await blockOf(image, block), bytes.subarray(at, at + blockBytes), `block ${block}`);
  }
  assert.deepEqual(Buffer.from(await device.read(7, 50)), bytes);
  assert.ok((await device.read(0, 7)).every((byte) => byte === 0));
  assert.ok((await device.read(57, 303)).every((byte) => byte === 0));
  await device.close();
  await finish(machine);
});

test("an image that Hercules has made is the same by blocks through the subchannel, and by tracks from its file", async () => {
  const machine = await rig();
  for (const name of ["linux.cckd.gz", "linux-copied.ckd.gz"]) {
    const content = gunzipSync(await readFile(new URL(`../../fixtures/${name}`, import.meta.url)));
    const { id, image } = await machine.disk({ content });
    const device = await CcwBlockDevice.open(machine.system, await machine.passThrough(id));
    assert.equal(device.tracks, image.geometry.tracks);
    const compare = async () => {
      // The first two tracks hold the label, in records of their own lengths.
      for (const first of [24, device.blocks - 120]) {
        const through = Buffer.from(await device.read(first, 120));
        for (let index = 0; index < 120; index += 1) {
          const there = through.subarray(index * blockBytes, (index + 1) * blockBytes);
          assert.ok((await blockOf(image, first + index)).equals(there), `${name}, block ${first + index}`);
        }
      }
    };
    await compare();
    await device.write(30, pattern(20, 6));
    await image.flush();
    await compare();
    await device.close();
  }
  await finish(machine);
});

test("any sequence of reads and writes is one of an array of blocks", async () => {
  const machine = await rig();
  const { image, device } = await open(machine, { transferBlocks: 13 });
  const model = Buffer.alloc(device.blocks * blockBytes);
  const range = fc.record({
    first: fc.nat(device.blocks - 1),
    count: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat(255),
  });
  const step = fc.oneof(
    fc.record({ op: fc.constant("read" as const), range }),
    fc.record({ op: fc.constant("write" as const), range }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
      for (const {
        op,
        range: { first, count: wanted, seed },
      } of steps) {
        const count = Math.min(wanted, device.blocks - first);
        const at = first * blockBytes;
        if (op === "write") {
          const bytes = pattern(count, seed);
          await device.write(first, bytes);
          bytes.copy(model, at);
        } else {
          const expected = model.subarray(at, at + count * blockBytes);
          assert.ok(Buffer.from(await device.read(first, count)).equals(expected));
        }
      }
    }),
    { numRuns: 15 },
  );
  for (let block = 0; block < device.blocks; block += 1) {
    const expected = model.subarray(block * blockBytes, (block + 1) * blockBytes);
    assert.ok((await blockOf(image, block)).equals(expected), `block ${block}`);
  }
  await device.close();
  await finish(machine);
});

test("a disk that is not formatted in blocks says so, and can be formatted", async () => {
  const machine = await rig();
  const { id, image } = await machine.disk({ format: 1 });
  const device = await CcwBlockDevice.open(machine.system, await machine.passThrough(id));
  assert.equal(await codeOf(device.read(0, 1)), "block-format");
  assert.equal(await codeOf(device.write(0, pattern(1, 1))), "block-format");
  const done: number[] = [];
  await device.format(0, device.tracks, (tracks) => void done.push(tracks));
  assert.deepEqual(done, [10, 20, 30]);
  const bytes = pattern(360, 3);
  await device.write(0, bytes);
  assert.ok(Buffer.from(await device.read(0, 360)).equals(bytes));
  const { records } = await image.read(29);
  assert.deepEqual(
    records.map(({ record, data }) => [record, data.length]),
    [[0, 8], ...Array.from({ length: 12 }, (_, index) => [index + 1, 4096])],
  );
  await device.close();
  await finish(machine);
});

test("what is not on the disk, or no whole blocks, is refused before anything is asked of the device", async () => {
  const machine = await rig();
  const { device } = await open(machine);
  for (const [first, count] of [
    [-1, 1],
    [0, 0],
    [360, 1],
    [359, 2],
    [0.5, 1],
    [Number.NaN, 1],
  ] as const) {
    assert.equal(await codeOf(device.read(first, count)), "block-range", `${first}, ${count}`);
  }
  assert.equal(await codeOf(device.write(0, new Uint8Array(100))), "block-range");
  assert.equal(
    await codeOf(CcwBlockDevice.open(machine.system, "vfio0", { transferBlocks: 0 })),
    "block-range",
  );
  await device.close();
  assert.equal(await codeOf(device.read(0, 1)), "block-closed");
  await device.close();
  await finish(machine);
});

/** Reads and writes all the time, and says how each ended; what is read is what was written last, or the call failed. */
async function traffic(device: CcwBlockDevice, rounds: number, seed: number): Promise<string[]> {
  const ends: string[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const first = (round * 37) % 300;
    const bytes = pattern(30, seed + round);
    const wrote = await codeOf(device.write(first, bytes));
    ends.push(wrote);
    if (wrote !== "done") continue;
    const read = device.read(first, 30);
    const code = await codeOf(read);
    ends.push(code);
    if (code === "done") assert.ok(Buffer.from(await read).equals(bytes), `round ${round}`);
  }
  return ends;
}

/** Lets traffic come to some other place. */
async function later(times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("halts and clears in the middle of it cost tries, and nothing else", async () => {
  const machine = await rig();
  const { device } = await open(machine, { retries: 60 });
  const running = traffic(device, 12, 1);
  for (let stop = 0; stop < 12; stop += 1) {
    await later(stop % 5);
    const how = stop % 2 === 0 ? "halt" : "clear";
    await device.stop(how, machine.runtime.clock.now() + 20_000).catch((error: { code?: string }) => {
      // Nothing runs at that moment, or its status is pending.
      assert.ok(error.code === "EBUSY" || error.code === "EAGAIN", String(error));
    });
  }
  assert.ok((await running).every((code) => code === "done"));
  await device.close();
  await finish(machine);
});

test("an interrupt whose status a reset has taken is not the end of what was started since", async () => {
  const machine = await rig();
  const { id } = await machine.disk();
  const files = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  const device = await CcwBlockDevice.use(machine.runtime, files, { retries: 0 });
  await device.reset();
  const fire = { argsz: 64, index: 0, start: 0, count: 1, data: [] };
  let end = "";
  const running = codeOf(device.write(0, pattern(30, 5))).then((code) => {
    end = code;
  });
  while (end === "") {
    await files.call("SET_IRQS", { ...fire, flags: IrqSetFlag.DATA_NONE | IrqSetFlag.ACTION_TRIGGER });
    await later(1);
  }
  await running;
  assert.equal(end, "done");
  await device.close();
  await finish(machine);
});

test("a status that was read is not the end of what was started since, whoever signals", async () => {
  const machine = await rig();
  const { id, gated } = await machine.disk();
  const files = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  const device = await CcwBlockDevice.use(machine.runtime, files, { retries: 0 });
  // It ends well, behind as many CCWs as the write has.
  await device.read(0, 1);
  const gate = gated.stopAt(EckdCommand.writeData);
  let end = "";
  const running = codeOf(device.write(0, pattern(1, 7))).then((code) => {
    end = code;
  });
  await gate.reached;
  const flags = IrqSetFlag.DATA_NONE | IrqSetFlag.ACTION_TRIGGER;
  await files.call("SET_IRQS", { argsz: 20, flags, index: 0, start: 0, count: 1 });
  await later(10);
  assert.equal(end, "", "it ended before the device had written");
  gate.open();
  await running;
  assert.equal(end, "done");
  assert.ok(Buffer.from(await device.read(0, 1)).equals(pattern(1, 7)));
  await device.close();
  await finish(machine);
});

test("a disk that can't be used is given back, and nobody is told that it was lost", async () => {
  const machine = await rig();
  const { id } = await machine.disk();
  const name = await machine.passThrough(id);
  await machine.css.vary(0x10, "off");
  let lost = "no";
  const options: CcwBlockOptions = {
    retries: 1,
    lost: () => {
      lost = "yes";
    },
  };
  assert.equal(await codeOf(CcwBlockDevice.open(machine.system, name, options)), "block-no-path");
  assert.equal(lost, "no");
  await machine.css.vary(0x10, "on");
  const device = await CcwBlockDevice.open(machine.system, name, options);
  assert.equal(device.blocks, 360);
  await device.close();
  assert.equal(lost, "no");
  await finish(machine);
});

test("a device that is reset in the middle of it goes on", async () => {
  const machine = await rig();
  const { device } = await open(machine, { retries: 60 });
  const running = traffic(device, 8, 9);
  for (let reset = 0; reset < 8; reset += 1) {
    await later(reset * 3);
    await device.reset();
  }
  assert.ok((await running).every((code) => code === "done"));
  await device.close();
  await finish(machine);
});

test("a path that is varied off is not missed while there is another; without any, calls fail, and work again with one", async () => {
  const machine = await rig();
  const { id } = await machine.disk({ chpids: [0x10, 0x20] });
  const reports: number[] = [];
  const device = await CcwBlockDevice.open(machine.system, await machine.passThrough(id), {
    retries: 9,
    reported: ({ rsid }) => void reports.push(rsid),
  });
  const running = traffic(device, 8, 4);
  await machine.css.vary(0x10, "off");
  await later(4);
  await machine.css.vary(0x20, "off");
  await machine.css.vary(0x10, "on");
  assert.ok((await running).every((code) => code === "done"));
  await machine.css.vary(0x10, "off");
  const hasty = traffic(device, 1, 4);
  await later(2);
  assert.deepEqual(await hasty, ["block-no-path"]);
  await machine.css.vary(0x20, "on");
  assert.deepEqual(await traffic(device, 1, 5), ["done", "done"]);
  machine.machine.path(0x10).configure("offline");
  await machine.css.settle();
  assert.deepEqual(await traffic(device, 1, 6), ["done", "done"]);
  machine.machine.path(0x10).configure("online");
  await machine.css.settle();
  await device.close();
  assert.deepEqual(reports, [0x10, 0x10]);
  await finish(machine);
});

test("a disk that is pulled out fails what is under way and everything after it, soon, and all is given back", async () => {
  const machine = await rig();
  const { id, device } = await open(machine, { whenRequested: "keep" });
  const running = traffic(device, 20, 2);
  await later(7);
  machine.machine.detach(id);
  const ends = await running;
  await machine.css.settle();
  assert.equal(machine.css.find(subchannelName(id)), undefined);
  assert.ok(
    ends.includes("block-gone") || ends.includes("block-no-path") || ends.includes("block-refused"),
    ends.join(),
  );
  assert.equal(await codeOf(device.read(0, 1)), "block-gone");
  await device.close();
  await finish(machine);
});

test("whoever is asked for the device lets go of it at once", async () => {
  const machine = await rig({ revokeMs: 60_000 });
  const asked: string[] = [];
  const { id, device } = await open(machine, { requested: () => void asked.push("asked") });
  await machine.system.removeDevice(machine.subchannel(id));
  assert.deepEqual(asked, ["asked"]);
  assert.match(await codeOf(device.read(0, 1)), /block-(closed|gone)/);
  assert.ok(!machine.log.some(({ event }) => event === "vfio.revoked"));
  await finish(machine);
});

test("whoever is asked for the device while it is being opened lets go of it then", async () => {
  const machine = await rig({ revokeMs: 60_000 });
  const { id, gated } = await machine.disk();
  const name = await machine.passThrough(id);
  const gate = gated.stopAt(EckdCommand.readDeviceCharacteristics);
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const opening = CcwBlockDevice.open(machine.system, name, { requested: () => ask() });
  await gate.reached;
  const removal = machine.system.removeDevice(machine.subchannel(id));
  await asked;
  gate.open();
  assert.match(await codeOf(opening), /^(done|block-(closed|gone))$/);
  await removal;
  assert.ok(!machine.log.some(({ event }) => event === "vfio.revoked"));
  await finish(machine);
});

test("a user who dies leaves nothing behind: the next one finds the device as new", async () => {
  const machine = await rig();
  const { id, image } = await machine.disk();
  const name = await machine.passThrough(id);
  // What is left of a process that dies: its files are closed, whatever runs.
  const files = await AttachedDevice.open(machine.system, name);
  const dying = await CcwBlockDevice.use(machine.runtime, files);
  const write = codeOf(dying.write(0, pattern(120, 8)));
  await later(1);
  await files.close();
  assert.match(await write, /block-(gone|closed|refused|no-path)/);
  assert.equal(machine.storage.used, 0);
  const next = await CcwBlockDevice.open(machine.system, name);
  await next.write(0, pattern(120, 9));
  assert.deepEqual(await blockOf(image, 119), pattern(120, 9).subarray(119 * blockBytes));
  await next.close();
  await finish(machine);
});
