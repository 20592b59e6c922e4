import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { StorageFault } from "../storage/storage.js";
import { HostStorage } from "./host-storage.js";

test("what is allocated is the host's own, below 2 GiB, and empty", async () => {
  const storage = new HostStorage(createRuntime());
  const block = storage.allocate(10_000);
  assert.ok(block.address > 0 && block.address + 12_288 <= 2 ** 31);
  await storage.write(
    block.address + 4090,
    Uint8Array.from({ length: 5000 }, (_, index) => index),
    0,
  );
  const read = await storage.read(block.address + 4090, 5000, 0);
  assert.equal(read[4999], 4999 & 0xff);
  assert.equal(block.bytes[4090 + 300], 300 & 0xff);
  block.free();
  assert.throws(() => storage.read(block.address, 1, 0), StorageFault);
  assert.deepEqual(storage.allocate(10_000).bytes, new Uint8Array(12_288));
});

test("a fault names the first byte that is not there", async () => {
  const storage = new HostStorage(createRuntime());
  const block = storage.allocate(4096);
  const fault = await Promise.resolve()
    .then(() => storage.read(block.address + 4090, 10, 0))
    .then(
      () => null,
      (error: unknown) => error,
    );
  assert.ok(fault instanceof StorageFault);
  assert.deepEqual([fault.code, fault.address], ["unavailable", block.address + 4096]);
});

test("addresses are given out once, and again when they are free", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ frames: fc.integer({ min: 1, max: 9 }), free: fc.nat(20) })),
      (steps) => {
        const storage = new HostStorage(createRuntime());
        const held: { address: number; size: number; free(): void }[] = [];
        for (const { frames, free } of steps) {
          const block = storage.allocate(frames * 4096);
          for (const { address, size } of held) {
            assert.ok(block.address >= address + size || block.address + frames * 4096 <= address);
          }
          held.push({ address: block.address, size: frames * 4096, free: () => block.free() });
          const [given] = held.splice(free, 1);
          given?.free();
        }
        for (const { free } of held) free();
        assert.equal(storage.used, 0);
      },
    ),
  );
});

test("what was lent and taken back is not reached any more", async () => {
  const storage = new HostStorage(createRuntime());
  const bytes = new Uint8Array(8192);
  const lent = storage.lend(
    {
      read: (offset, length) => bytes.subarray(offset, offset + length),
      write: (offset, content) => bytes.set(content, offset),
    },
    2,
  );
  assert.ok(lent.address >= 2 ** 32);
  await storage.write(lent.address + 4096, Uint8Array.of(7), 0);
  assert.equal(bytes[4096], 7);
  lent.takeBack();
  assert.throws(() => storage.write(lent.address, Uint8Array.of(1), 0), StorageFault);
});
