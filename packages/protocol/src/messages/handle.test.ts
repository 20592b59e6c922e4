import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isControlError } from "./control-error.js";
import { HandleTable } from "./handle.js";

describe("a handle table", () => {
  it("gives dxgkrnl's first handle, and finds by handle and type", () => {
    const table = new HandleTable<string>();
    const handle = table.add("device", "a");
    assert.equal(handle, 0x4000_0000);
    assert.equal(table.add("device", "b"), 0x4000_0040);
    assert.equal(table.get("device", handle), "a");
    for (const [type, wrong] of [
      ["context", handle],
      ["device", 0],
      ["device", handle + 1],
      ["device", 0xffff_ffff],
      ["device", -1],
      ["device", 0.5],
    ] as const) {
      assert.throws(
        () => table.get(type, wrong),
        (error) => isControlError(error, "EBADF"),
      );
    }
  });

  it("never lets a stale handle name a new object while a slot is reused", () => {
    const table = new HandleTable<number>({ minFree: 0 });
    const seen = new Set<number>();
    for (let i = 0; i < 192; i++) {
      const handle = table.add("device", i);
      assert.equal(seen.has(handle), false, `handle 0x${handle.toString(16)} came back at ${i}`);
      for (const old of seen) assert.throws(() => table.get("device", old));
      seen.add(handle);
      table.remove("device", handle);
    }
  });

  it("keeps freed slots waiting before they are reused", () => {
    const table = new HandleTable<number>({ minFree: 2 });
    const indexes = Array.from({ length: 6 }, (_, i) => {
      const handle = table.add("device", i);
      table.remove("device", handle);
      return (handle >>> 6) & 0xff_ffff;
    });
    assert.deepEqual(indexes, [0, 1, 2, 0, 1, 2]);
  });

  it("refuses more than its limit, and has room again after a removal", () => {
    const table = new HandleTable<number>({ limit: 2 });
    const first = table.add("device", 1);
    table.add("device", 2);
    assert.throws(
      () => table.add("device", 3),
      (error) => {
        assert.ok(isControlError(error, "EMFILE"));
        const told = JSON.parse(new TextDecoder().decode(error.privateData)) as Record<string, unknown>;
        const { code, slice, rule, limit, used, wanted, remedy, message } = told;
        assert.deepEqual([code, slice, rule, wanted], ["limit-reached", "", "handlesPerTable", 1]);
        assert.equal(limit, used);
        assert.equal(error.message, `EMFILE: ${String(message)}`);
        assert.ok(String(message).endsWith(String(remedy)));
        return true;
      },
    );
    table.remove("device", first);
    table.add("device", 3);
    assert.equal(table.size, 2);
    assert.deepEqual(
      [...table.entries()].map((entry) => entry.object),
      [2, 3],
    );
  });
});
