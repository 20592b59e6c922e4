/** What can come between a guest and its disk, each in the middle of a channel program that the test holds there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { subchannelName } from "parhelion-buses";
import type { CcwBlockOptions } from "../block/block-device.js";
import { EckdCommand } from "../block/eckd.js";
import { DiskImage } from "../image/disk-image.js";
import type { DiskInit } from "../vfio-ccw/rig.test.fixture.js";
import { blocksOf, Guest } from "./guest.test.fixture.js";
import { pattern } from "./pattern.test.fixture.js";
import { type Served, type ServedDisk, served } from "./served.test.fixture.js";

/** A guest that has written blocks 0 to 23 of its disk. */
async function started(machine: Served, init: DiskInit = {}, options: CcwBlockOptions = {}) {
  const disk = await machine.serve(init);
  const guest = new Guest();
  await guest.open(disk.path, { transferBlocks: 12, ...options });
  await guest.must({ do: "write", first: 0, count: 24, seed: 1 });
  return { disk, guest };
}

/** Begins to write blocks 12 to 23 anew; its channel program stands before the sixth of them. */
async function inTheMiddle({ disk, guest }: { disk: ServedDisk; guest: Guest }, seed = 2) {
  const gate = disk.gated.stopAt(EckdCommand.writeData, 5);
  const write = guest.begin({ do: "write", first: 12, count: 12, seed });
  await gate.reached;
  return { gate, write };
}

const codeOf = async (end: ReturnType<Guest["begin"]>): Promise<string> => {
  const ended = await end;
  return "code" in ended ? ended.code : "done";
};

/** Each block is what it was or what it became. */
async function assertEachOldOrNew(image: DiskImage): Promise<void> {
  const there = await blocksOf(image, 12, 12);
  const [before, after] = [pattern(24, 1).subarray(12 * 4096), pattern(12, 2)];
  for (let at = 0; at < there.length; at += 4096) {
    const block = there.subarray(at, at + 4096);
    const known = [before, after].some((bytes) => block.equals(bytes.subarray(at, at + 4096)));
    assert.ok(known, `block ${12 + at / 4096} is neither what it was nor what it became`);
  }
  assert.ok((await blocksOf(image, 0, 12)).equals(pattern(24, 1).subarray(0, 12 * 4096)));
}

test("a guest that is killed leaves a clean device to the next one, and an image that is whole", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine, { durable: "program" });
  await inTheMiddle({ disk, guest });
  await guest.kill();
  await disk.abandoned();
  assert.equal(machine.storage.used, 0, "what the dead guest had pinned is left");
  await assertEachOldOrNew(disk.image);
  const next = new Guest();
  await next.open(disk.path);
  assert.ok((await next.read(0, 12)).equals(pattern(24, 1).subarray(0, 12 * 4096)));
  await next.must({ do: "write", first: 6, count: 200, seed: 4 });
  assert.ok((await next.read(6, 200)).equals(pattern(200, 4)));
  await next.must({ do: "close" });
  await next.end();
  assert.deepEqual(next.events, []);
  await machine.finish(async () => {
    const again = await DiskImage.open(disk.file, { access: "read-only" });
    assert.ok((await blocksOf(again, 6, 200)).equals(pattern(200, 4)));
    await again.close();
  });
});

for (const how of ["halt", "clear"] as const)
  test(`a ${how} in the middle of a write costs another try, and nothing else`, async () => {
    const machine = await served();
    const { disk, guest } = await started(machine);
    const { write } = await inTheMiddle({ disk, guest });
    await guest.must({ do: "stop", how });
    assert.equal(await codeOf(write), "done");
    assert.ok((await blocksOf(disk.image, 12, 12)).equals(pattern(12, 2)));
    await guest.must({ do: "close" });
    await guest.end();
    await machine.finish();
  });

test("a guest that resets its device in the middle of a write writes it again", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine);
  const { write } = await inTheMiddle({ disk, guest });
  await guest.must({ do: "reset" });
  assert.equal(await codeOf(write), "done");
  assert.ok((await blocksOf(disk.image, 12, 12)).equals(pattern(12, 2)));
  assert.equal(machine.storage.used, 0);
  await guest.must({ do: "close" });
  await guest.end();
  await machine.finish();
});

test("a machine that is reset ends what runs and tells nobody; a guest that resets its device goes on", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine);
  const { write } = await inTheMiddle({ disk, guest });
  machine.machine.systemReset();
  await guest.must({ do: "reset" });
  assert.equal(await codeOf(write), "done");
  assert.ok((await blocksOf(disk.image, 12, 12)).equals(pattern(12, 2)));
  await guest.must({ do: "close" });
  await guest.end();
  await machine.finish();
});

test("a path that is varied off under a write is not missed while there is another", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine, { chpids: [0x10, 0x20] });
  const { write } = await inTheMiddle({ disk, guest });
  // The channel program runs by one of the two.
  await machine.css.vary(0x10, "off");
  await machine.css.vary(0x10, "on");
  await machine.css.vary(0x20, "off");
  const { gated } = disk;
  gated.release();
  assert.equal(await codeOf(write), "done");
  assert.ok((await blocksOf(disk.image, 12, 12)).equals(pattern(12, 2)));
  await machine.css.vary(0x20, "on");
  await guest.must({ do: "close" });
  await guest.end();
  await machine.finish();
});

test("without any path calls fail, and go on when one comes back", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine, {}, { retries: 2 });
  const { write } = await inTheMiddle({ disk, guest });
  await machine.css.vary(0x10, "off");
  assert.equal(await codeOf(write), "block-no-path");
  assert.equal(await guest.outcome({ do: "read", first: 0, count: 1 }), "block-no-path");
  await machine.css.vary(0x10, "on");
  await guest.must({ do: "write", first: 12, count: 12, seed: 2 });
  machine.machine.path(0x10).configure("offline");
  await machine.css.settle();
  await guest.told("path 10");
  assert.equal(await guest.outcome({ do: "read", first: 0, count: 1 }), "block-no-path");
  machine.machine.path(0x10).configure("online");
  await machine.css.settle();
  assert.ok((await guest.read(12, 12)).equals(pattern(12, 2)));
  await guest.must({ do: "close" });
  await guest.end();
  assert.deepEqual(guest.events, ["path 10", "path 10"]);
  await machine.finish();
});

test("a disk that is pulled out under a write is gone for its guest, who is told, and its server ends", async () => {
  const machine = await served({ revokeMs: 100 });
  const { disk, guest } = await started(machine, {}, { whenRequested: "keep", retries: 2 });
  const { write } = await inTheMiddle({ disk, guest });
  machine.machine.detach(disk.id);
  await machine.css.settle();
  assert.equal(machine.css.find(subchannelName(disk.id)), undefined);
  assert.match(await codeOf(write), /^block-(gone|no-path|refused)$/);
  await guest.told("lost");
  assert.equal(await guest.outcome({ do: "read", first: 0, count: 1 }), "block-gone");
  assert.match(await disk.server.ended(), /ENODEV/);
  assert.equal(guest.events.at(-1), "lost");
  await guest.must({ do: "close" });
  await guest.end();
  await assertEachOldOrNew(disk.image);
  await machine.finish();
});

test("a guest that lets go when it is asked keeps nobody waiting", async () => {
  const machine = await served({ revokeMs: 60_000 });
  const { disk, guest } = await started(machine);
  await machine.system.removeDevice(machine.subchannel(disk.id));
  assert.match(await guest.outcome({ do: "read", first: 0, count: 1 }), /^block-(closed|gone)$/);
  assert.deepEqual(guest.events, ["requested"]);
  assert.ok(!machine.log.some(({ event }) => event === "vfio.revoked"));
  await guest.end();
  await machine.finish();
});

test("a server that is closed under a write is gone for its guest; a new one has the device for it again", async () => {
  const machine = await served();
  const { disk, guest } = await started(machine);
  const { gate, write } = await inTheMiddle({ disk, guest });
  const closing = disk.server.close();
  gate.open();
  await closing;
  assert.match(await codeOf(write), /^(block-gone|done)$/);
  await guest.told("lost");
  assert.equal(await guest.outcome({ do: "read", first: 0, count: 1 }), "block-gone");
  await guest.must({ do: "close" });
  assert.match(await guest.outcome({ do: "open", path: disk.path, options: {} }), /^(ENOENT|ECONNREFUSED)$/);
  await guest.end();
  await assertEachOldOrNew(disk.image);
  await machine.finish();
});
