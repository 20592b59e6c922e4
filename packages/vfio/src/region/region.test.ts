/** Regions as users see them: what they say of themselves, where they are, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AttachedDevice,
  deviceCall,
  encodeDeviceInfo,
  encodeRegionInfo,
  parseChain,
  RegionCap,
} from "../index.js";
import { rig, Toy } from "../toy.test.fixture.js";

const shift = (index: number) => BigInt(index) << 40n;

async function opened(parts = {}, init = {}) {
  const r = await rig();
  const toy = new Toy();
  const device = await r.registered(toy, { iommu: "emulated" }, parts, init);
  const user = await AttachedDevice.open(r.system, "vfio0");
  const end = async () => {
    await user.close();
    await r.gone(device);
    await r.end();
  };
  return { ...r, toy, device, user, end };
}

test("a region says its size, its place and what it may be used for; a chain fits whole or is left out", async () => {
  const { user, end } = await opened();
  const info = (index: number, argsz = 32) => user.call("GET_REGION_INFO", { argsz, index });
  await assert.rejects(info(0, 31), { code: "EINVAL" });
  await assert.rejects(info(4), { code: "EINVAL" });
  const plain = await info(0);
  assert.deepEqual(
    { ...plain, capabilities: [] },
    { argsz: 32, flags: 7, index: 0, capOffset: 0, size: 4096n, offset: 0n, capabilities: [] },
  );
  assert.deepEqual((await info(2)).flags, 0);
  const short = await info(1);
  assert.deepEqual([short.flags, short.argsz, short.capOffset, short.offset], [9, 48, 0, shift(1)]);
  const whole = await info(1, 48);
  const bytes = encodeRegionInfo(whole);
  assert.equal(bytes.length, 48);
  assert.deepEqual(parseChain(bytes, whole.capOffset), [
    { id: RegionCap.TYPE, version: 1, data: Uint8Array.of(2, 0, 0, 0, 1, 0, 0, 0) },
  ]);
  const sparse = await info(3, 1000);
  assert.equal(sparse.flags, 15);
  const [areas] = parseChain(encodeRegionInfo(sparse), sparse.capOffset);
  assert.equal(areas?.id, RegionCap.SPARSE_MMAP);
  assert.deepEqual(
    [...new BigUint64Array(areas?.data.slice().buffer ?? new ArrayBuffer(0))],
    [1n, 4096n, 4096n],
  );
  await end();
});

test("a chain of several is linked by offsets from the structure's begin", async () => {
  const capabilities = [
    { id: 9, version: 2, data: Uint8Array.of(1, 2, 3) },
    { id: 10, version: 1, data: new Uint8Array(16).fill(7) },
  ];
  const { user, end } = await opened({}, { capabilities, flags: 2 });
  await assert.rejects(user.call("GET_INFO", { argsz: 15 }), { code: "EINVAL" });
  const short = await user.call("GET_INFO", { argsz: 16 });
  assert.deepEqual([short.flags, short.capOffset, short.argsz], [0x83, 0, 24 + 16 + 24]);
  const bytes = encodeDeviceInfo(await user.call("GET_INFO", { argsz: short.argsz }));
  const chain = parseChain(bytes, 24);
  assert.deepEqual(
    chain.map(({ id, version }) => [id, version]),
    [
      [9, 2],
      [10, 1],
    ],
  );
  assert.deepEqual([...(chain[1]?.data ?? [])], new Array(16).fill(7));
  assert.deepEqual(parseChain(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0), 0), []);
  await end();
});

test("reading and writing stays within a region, and within what it is for", async () => {
  const { user, toy, end } = await opened();
  const read = (offset: bigint, length: number) => user.call("READ", { offset, length });
  const write = (offset: bigint, bytes: Uint8Array) => user.call("WRITE", { offset, bytes });
  assert.equal(await write(4094n, Uint8Array.of(1, 2)), 2);
  assert.deepEqual([...(await read(4095n, 1))], [2]);
  assert.equal((await read(0n, 0)).length, 0);
  assert.equal(await write(shift(3) + 8190n, Uint8Array.of(5, 6)), 2);
  assert.deepEqual([...toy.large.subarray(8190)], [5, 6]);
  for (const [offset, length] of [
    [4095n, 2],
    [4097n, 0],
    [shift(1) + 16n, 1],
    [shift(2), 1],
    [shift(4), 1],
    [-1n, 1],
    [0n, -1],
    [0n, 1.5],
  ] as const) {
    await assert.rejects(read(offset, length), { code: "EINVAL" }, `${length} at ${offset}`);
  }
  await assert.rejects(write(shift(1), Uint8Array.of(1)), { code: "EINVAL" }, "for reading only");
  await end();
});

test("a driver may give less than was asked for, and take less", async () => {
  const { user, end } = await opened({ read: () => Uint8Array.of(1, 2, 3), write: () => 1 });
  assert.equal((await user.call("READ", { offset: 0n, length: 8 })).length, 3);
  assert.equal((await user.call("READ", { offset: 0n, length: 2 })).length, 2);
  assert.equal(await user.call("WRITE", { offset: 0n, bytes: new Uint8Array(4) }), 1);
  await end();
});

test("only what a region says can be mapped", async () => {
  const { user, toy, end } = await opened();
  const at = (index: number, offset: number) => index * 2 ** 40 + offset;
  const mapping = await user.file.map({ offset: at(3, 4096), length: 4096 });
  toy.large[4096] = 7;
  assert.deepEqual([...mapping.read(0, 1)], [7]);
  await mapping.unmap();
  for (const [offset, length] of [
    [at(3, 0), 4096],
    [at(3, 4096), 8192],
    [at(1, 0), 16],
    [at(2, 0), 1],
    [at(9, 0), 1],
  ] as const) {
    await assert.rejects(user.file.map({ offset, length }), { code: "EINVAL" });
  }
  await end();
});

test("calls that the device does not know answer ENOTTY, its own go to the driver", async () => {
  const bare = await opened({ reset: undefined, map: undefined });
  await assert.rejects(bare.user.call("RESET", {}), { code: "ENOTTY" });
  assert.equal((await bare.user.call("GET_INFO", { argsz: 24 })).flags, 0);
  await assert.rejects(bare.user.call("IOCTL", { name: "PCI_HOT_RESET", argument: 1 }), { code: "ENOTTY" });
  await assert.rejects(bare.user.file.request({ op: "MAP_DMA" } as never), { code: "ENOTTY" });
  await assert.rejects(bare.user.file.map({ offset: 0, length: 1 }), { code: "EINVAL" });
  await bare.end();
  const own = await opened({ ioctl: (name: string, argument: unknown) => [name, argument] });
  assert.deepEqual(await deviceCall(own.user.file, "IOCTL", { name: "X", argument: 1 }), ["X", 1]);
  own.toy.memory.fill(3);
  await own.user.call("RESET", {});
  assert.equal(own.toy.memory[0], 0);
  await own.end();
});

test("an open that the driver refuses leaves nothing behind", async () => {
  const r = await rig();
  const toy = new Toy();
  let refusals = 1;
  const device = await r.registered(toy, undefined, {
    openDevice: () => {
      refusals -= 1;
      if (refusals >= 0) throw new Error("not today");
    },
  });
  await assert.rejects(AttachedDevice.open(r.system, "vfio0"), /not today/);
  assert.equal(device.openCount, 0);
  const user = await AttachedDevice.open(r.system, "vfio0");
  await user.close();
  await r.gone(device);
  assert.deepEqual(toy.trace, ["close", "release"]);
  await r.end();
});
