import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKernelError } from "parhelion-core";
import { AbsoluteStorage } from "./absolute.js";
import { StorageFault, type StorageFaultReason } from "./storage.js";

function fault(code: StorageFaultReason, address: number): (error: unknown) => boolean {
  return (error) => error instanceof StorageFault && error.code === code && error.address === address;
}

describe("main storage", () => {
  it("is read and written in place", () => {
    const memory = new Uint8Array(8192);
    const storage = new AbsoluteStorage(memory);
    storage.write(4094, Uint8Array.of(1, 2, 3, 4), 0);
    assert.deepEqual([...memory.subarray(4094, 4098)], [1, 2, 3, 4]);
    assert.deepEqual([...storage.read(4095, 2, 0)], [2, 3]);
    assert.deepEqual([...storage.read(8192 - 1, 1, 0)], [0]);
  });

  it("has an end, up to which a store gets", () => {
    const storage = new AbsoluteStorage(new Uint8Array(4096));
    for (const key of [0, 7]) {
      storage.setKey(0, { accessControl: 7, protects: "stores" });
      assert.throws(() => storage.read(4095, 2, key), fault("unavailable", 4096));
      assert.throws(() => storage.write(4095, Uint8Array.of(key, 9), key), fault("unavailable", 4096));
      assert.equal(storage.bytes[4095], key);
      assert.throws(() => storage.read(5000, 1, key), fault("unavailable", 5000));
      assert.throws(() => storage.read(2 ** 53, 1, key), fault("unavailable", 2 ** 53));
      assert.throws(() => storage.write(2 ** 63, Uint8Array.of(1), key), fault("unavailable", 2 ** 63));
      assert.throws(() => storage.read(-1, 1, key), fault("unavailable", -1));
    }
  });

  it("keeps other keys from storing, and from fetching where that is protected too", () => {
    const storage = new AbsoluteStorage(new Uint8Array(3 * 4096));
    storage.setKey(0, { accessControl: 4, protects: "stores" });
    storage.setKey(4096, { accessControl: 5, protects: "stores" });
    storage.setKey(2 * 4096, { accessControl: 5, protects: "stores-and-fetches" });
    assert.equal(storage.read(0, 8192, 4).length, 8192);
    assert.throws(() => storage.read(0, 8193, 4), fault("protected", 8192));
    assert.throws(() => storage.write(4095, Uint8Array.of(1, 2), 4), fault("protected", 4096));
    assert.deepEqual([storage.bytes[4095], storage.bytes[4096]], [1, 0]);
    storage.write(8191, Uint8Array.of(1, 2), 5);
    assert.equal(storage.read(0, 12288, 0).length, 12288);
    storage.write(0, new Uint8Array(12288), 0);
  });

  it("refuses a size, a place or a key that there can't be", () => {
    for (const size of [0, 1000, 4097]) {
      assert.throws(
        () => new AbsoluteStorage(new Uint8Array(size)),
        (error) => isKernelError(error, "EINVAL"),
      );
    }
    const storage = new AbsoluteStorage(new Uint8Array(4096));
    const key = { accessControl: 1, protects: "stores" } as const;
    assert.throws(
      () => storage.setKey(4096, key),
      (error) => isKernelError(error, "EFAULT"),
    );
    assert.throws(
      () => storage.setKey(-1, key),
      (error) => isKernelError(error, "EFAULT"),
    );
    for (const accessControl of [16, -1, 1.5]) {
      const bad = { accessControl, protects: "stores" } as const;
      assert.throws(
        () => storage.setKey(0, bad),
        (error) => isKernelError(error, "EINVAL"),
      );
    }
  });
});
