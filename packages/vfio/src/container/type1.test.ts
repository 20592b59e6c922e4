/** What an address space takes, and how it refuses (drivers/vfio/vfio_iommu_type1.c). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { DmaAccess } from "../iommu/access.js";
import { Ioas, lastIova } from "../iommu/ioas.js";
import { bytesMemory } from "../iommu/user-memory.js";
import { parseChain } from "../region/layout.js";
import { DirtyFlag, IommuInfoCap, type MapDma, type UnmapDma, UnmapFlag } from "./calls.js";
import { Type1 } from "./type1.js";

const page = 4096n;

function space(version: 1 | 2 = 2, mappings = 4) {
  const runtime = createRuntime();
  const unmapped: bigint[] = [];
  const ranges = [{ start: 0n, last: 0xffff_ffffn }];
  const ioas = new Ioas(runtime, "ioas", { pageSize: page, mappings, ranges });
  const type1 = new Type1(ioas, version);
  const dma = new DmaAccess(runtime, "device", (iova) => void unmapped.push(iova));
  dma.open();
  dma.attach(ioas);
  const memory = bytesMemory(new Uint8Array(0x10000));
  const map = (iova: bigint, size: bigint, more: Partial<MapDma> = {}) =>
    type1.map({ argsz: 32, flags: 3, vaddr: 0n, iova, size, memory, ...more });
  const unmap = async (iova: bigint, size: bigint, more: Partial<UnmapDma> = {}) =>
    (await type1.unmap({ argsz: 24, flags: 0, iova, size, ...more })).size;
  return { runtime, ioas, type1, dma, map, unmap, unmapped };
}

test("a mapping is whole pages within the iovas there are, of which nothing is mapped, and there are not too many", async () => {
  const { map, ioas } = space();
  const refused = (run: Promise<unknown>, code: string) => assert.rejects(run, { code });
  await refused(map(0n, 0n), "EINVAL");
  await refused(map(0n, page - 1n), "EINVAL");
  await refused(map(1n, page), "EINVAL");
  await refused(map(0n, page, { vaddr: 8n }), "EINVAL");
  await refused(map(0n, page, { flags: 0 }), "EINVAL");
  await refused(map(0n, page, { flags: 4 }), "EINVAL");
  await refused(map(0n, page, { argsz: 31 }), "EINVAL");
  await refused(map(lastIova - page + 1n, 2n * page), "EINVAL");
  await refused(map(0n, 2n * page, { vaddr: lastIova - page + 1n }), "EINVAL");
  await refused(map(0x1_0000_0000n, page), "EINVAL");
  await refused(map(0xffff_f000n, 2n * page), "EINVAL");
  await map(2n * page, 2n * page);
  for (const [iova, size] of [
    [2n, 1n],
    [3n, 1n],
    [1n, 2n],
    [3n, 2n],
    [0n, 9n],
  ] as const) {
    await refused(map(iova * page, size * page), "EEXIST");
  }
  await map(page, page);
  await map(4n * page, page);
  await map(0xffff_f000n, page);
  await refused(map(0n, page), "ENOSPC");
  await refused(map(page, page), "EEXIST");
  assert.equal(ioas.available, 0);
});

test("version 2 never cuts a mapping, and unmaps all that lies within", async () => {
  const { map, unmap, ioas } = space();
  await map(0n, 2n * page);
  await map(2n * page, page);
  for (const [iova, size] of [
    [0n, 1n],
    [1n, 1n],
    [1n, 2n],
    [0n, 1n],
  ] as const) {
    await assert.rejects(unmap(iova * page, size * page), { code: "EINVAL" });
  }
  await assert.rejects(unmap(0n, 0n), { code: "EINVAL" });
  await assert.rejects(unmap(1n, page), { code: "EINVAL" });
  await assert.rejects(unmap(lastIova - page + 1n, 2n * page), { code: "EINVAL" });
  await assert.rejects(unmap(0n, page, { argsz: 23 }), { code: "EINVAL" });
  await assert.rejects(unmap(0n, page, { flags: 4 }), { code: "EINVAL" });
  assert.equal(await unmap(8n * page, page), 0n);
  assert.equal(await unmap(0n, 8n * page), 3n * page);
  assert.equal(ioas.mappings.length, 0);
});

test("version 1 unmaps a mapping whole that is named by its begin, and nothing from the middle", async () => {
  const { map, unmap } = space(1);
  await map(0n, 2n * page);
  await map(2n * page, 2n * page);
  assert.equal(await unmap(page, page), 0n);
  assert.equal(await unmap(0n, page), 2n * page);
  assert.equal(await unmap(2n * page, page), 2n * page);
});

test("all of it can be unmapped in one call that names nothing", async () => {
  const { map, unmap } = space();
  await map(0n, page);
  await map(0x8000_0000n, page);
  await assert.rejects(unmap(0n, page, { flags: UnmapFlag.ALL }), { code: "EINVAL" });
  await assert.rejects(unmap(page, 0n, { flags: UnmapFlag.ALL }), { code: "EINVAL" });
  await assert.rejects(unmap(0n, 0n, { flags: 3 }), { code: "EINVAL" });
  assert.equal(await unmap(0n, 0n, { flags: UnmapFlag.ALL }), 2n * page);
});

test("what a device writes is dirty once, and what it has pinned for writing as long as it is", async () => {
  const { map, type1, dma } = space();
  await map(0n, 4n * page);
  const range = { iova: 0n, size: 4n * page, pgsize: page, bytes: 8 };
  const dirty = (flags: number, more = {}) => type1.dirtyPages({ argsz: 48, flags, ...more });
  const pages = async () => (await dirty(DirtyFlag.GET_BITMAP, { range })).bitmap?.[0];
  for (const flags of [0, 3, 7, 8]) await assert.rejects(dirty(flags), { code: "EINVAL" });
  await assert.rejects(pages(), { code: "EINVAL" }, "nothing is tracked");
  await assert.rejects(type1.dirtyPages({ argsz: 7, flags: 1 }), { code: "EINVAL" });
  await dirty(DirtyFlag.START);
  await dirty(DirtyFlag.START);
  assert.equal(await pages(), 0);
  await dma.read(0n, 16384);
  await dma.write(page - 1n, Uint8Array.of(1, 2));
  dma.view(3n * page, 1, "write");
  assert.equal(await pages(), 0b1011);
  assert.equal(await pages(), 0);
  const pin = dma.pin(2n * page, 10, "write");
  assert.equal(await pages(), 0b100);
  assert.equal(await pages(), 0b100);
  pin.unpin();
  assert.equal(await pages(), 0b100);
  assert.equal(await pages(), 0);
  for (const wrong of [
    { iova: 1n },
    { size: 0n },
    { size: 5000n },
    { pgsize: 8192n },
    { bytes: 7 },
    { size: 2n * page },
    { iova: page, size: page },
  ]) {
    await assert.rejects(dirty(DirtyFlag.GET_BITMAP, { range: { ...range, ...wrong } }), { code: "EINVAL" });
  }
  await assert.rejects(dirty(DirtyFlag.GET_BITMAP), { code: "EINVAL" });
  await dma.write(0n, Uint8Array.of(1));
  const bitmap = { pgsize: page, bytes: 8 };
  const withBitmap = { argsz: 24, flags: UnmapFlag.GET_DIRTY_BITMAP, iova: 0n, size: 4n * page };
  await assert.rejects(type1.unmap(withBitmap), { code: "EINVAL" });
  const unmapped = await type1.unmap({ ...withBitmap, bitmap });
  assert.deepEqual([unmapped.size, unmapped.bitmap?.[0]], [4n * page, 1]);
  await dirty(DirtyFlag.STOP);
  await assert.rejects(type1.unmap({ ...withBitmap, bitmap }), { code: "EINVAL" });
});

test("DMA goes through what is mapped and nothing else, across mappings that touch", async () => {
  const { map, unmap, dma } = space();
  await assert.rejects(dma.read(0n, 1), { code: "EFAULT" });
  const bytes = new Uint8Array(0x2000).map((_, at) => at >> 4);
  await map(0n, page, { memory: bytesMemory(bytes) });
  await map(page, page, { memory: bytesMemory(bytes), vaddr: page, flags: 1 });
  assert.deepEqual([...(await dma.read(page - 2n, 4))], [...bytes.slice(4094, 4098)]);
  assert.equal(dma.view(page - 2n, 4, "read"), null, "in two pieces");
  assert.deepEqual([...(dma.view(8n, 2, "read") ?? [])], [0, 0]);
  await assert.rejects(dma.write(page - 1n, Uint8Array.of(9, 9)), { code: "EPERM" });
  assert.equal(bytes[4095], 9, "as far as it came");
  await assert.rejects(dma.read(2n * page - 1n, 2), { code: "EFAULT" });
  assert.throws(() => dma.pin(page, 1, "write"), { code: "EPERM" });
  assert.throws(() => dma.pin(0n, 0, "read"), { code: "EINVAL" });
  assert.throws(() => dma.pin(0n, 2 ** 21 + 1, "read"), { code: "E2BIG" });
  const pin = dma.pin(page - 1n, 2, "read");
  assert.deepEqual([...(await pin.read(0, 2))], [9, bytes[4096]]);
  await assert.rejects(pin.read(1, 2), { code: "EFAULT" });
  await assert.rejects(pin.write(0, Uint8Array.of(1)), { code: "EPERM" });
  await unmap(page, page);
  assert.equal(pin.state, "taken");
  await assert.rejects(pin.read(0, 1), { code: "EFAULT" });
  dma.close();
  await assert.rejects(dma.read(0n, 1), { code: "ENODEV" });
});

test("unmapping asks the driver for what it has pinned, takes what it keeps, and fails what waits for the user", async () => {
  const { runtime, map, unmap, dma, unmapped } = space();
  let asked = 0;
  const read = (): Promise<Uint8Array> => {
    asked += 1;
    return new Promise(() => {});
  };
  await map(0n, page, { memory: { read, write: () => {} } });
  await map(page, page);
  const pin = dma.pin(page, 8, "read-write");
  const waiting = assert.rejects(dma.read(0n, 8), { code: "EFAULT" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, 1);
  assert.equal(await unmap(0n, 2n * page), 2n * page);
  await waiting;
  assert.deepEqual(unmapped, [page], "only what was pinned");
  assert.equal(pin.state, "taken");
  await map(0n, page, { memory: { read: () => new Uint8Array(3), write: () => {} } });
  await assert.rejects(dma.read(0n, 4), { code: "EFAULT" }, "the user gave less");
  assert.ok(runtime.clock.now() > 0);
});

test("what has more pages than a bitmap may is not tracked, and nothing else is then", async () => {
  const ioas = new Ioas(createRuntime(), "ioas", {
    pageSize: page,
    mappings: 4,
    ranges: [{ start: 0n, last: lastIova }],
  });
  const type1 = new Type1(ioas, 2);
  const memory = bytesMemory(new Uint8Array(4096));
  const map = (iova: bigint, size: bigint) =>
    type1.map({ argsz: 32, flags: 3, vaddr: 0n, iova, size, memory });
  const track = () => type1.dirtyPages({ argsz: 8, flags: DirtyFlag.START });
  await map(0n, page);
  await map(1n << 62n, 1n << 62n);
  await assert.rejects(track(), { code: "EINVAL" });
  assert.deepEqual([ioas.tracking, ioas.find(0n)?.dirty], ["off", null]);
  await type1.unmap({ argsz: 24, flags: 0, iova: 1n << 62n, size: 1n << 62n });
  await track();
  await assert.rejects(map(1n << 62n, 1n << 62n), { code: "EINVAL" });
  assert.equal(ioas.mappings.length, 1);
});

test("the IOMMU says what it can do, with a chain that fits or is left out", async () => {
  const { type1, map } = space();
  await map(0n, page);
  assert.throws(() => type1.info(15), { code: "EINVAL" });
  const short = type1.info(24);
  assert.deepEqual([short.flags, short.capOffset, short.capabilities.length], [3, 0, 0]);
  assert.equal(short.iovaPgsizes, lastIova - page + 1n);
  const whole = type1.info(short.argsz);
  const bytes = new Uint8Array(short.argsz);
  bytes.set(whole.capabilities, whole.capOffset);
  const caps = parseChain(bytes, whole.capOffset);
  assert.deepEqual(
    caps.map(({ id }) => id),
    [IommuInfoCap.IOVA_RANGE, IommuInfoCap.MIGRATION, IommuInfoCap.DMA_AVAIL],
  );
  const left = caps[2]?.data ?? new Uint8Array(4);
  assert.equal(new DataView(left.buffer, left.byteOffset).getUint32(0, true), 3);
});
