import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRuntime } from "parhelion-core";
import { isControlError } from "parhelion-protocol";
import { DxgObjects } from "./object.js";

describe("the objects of a process", () => {
  it("go in the reverse of their creation, children before parents, and are unknown from then on", () => {
    const objects = new DxgObjects(createRuntime(), "objects");
    const adapter = objects.link("adapter", 0, null);
    const device = objects.link("device", 10, adapter);
    const context = objects.link("context", 20, device);
    const queue = objects.link("hwqueue", 30, context);
    const fence = objects.link("syncobject", 40, device);
    const other = objects.link("device", 11, adapter);
    assert.deepEqual(
      objects.unlink(device).map(({ host }) => host),
      [40, 30, 20, 10],
    );
    for (const { kind, handle } of [device, context, queue, fence]) {
      assert.throws(
        () => objects.get(kind, handle),
        (error) => isControlError(error, "EBADF"),
      );
    }
    assert.equal(objects.linked(device), false);
    assert.equal(objects.deviceOf(10), undefined);
    assert.equal(objects.deviceOf(11), other);
    assert.deepEqual(
      objects.unlinkAll().map(({ host }) => host),
      [11, 0],
    );
    assert.equal(objects.size, 0);
  });

  it("of two host handles with one number are told apart by their own", () => {
    const objects = new DxgObjects(createRuntime(), "objects");
    const adapter = objects.link("adapter", 0, null);
    const before = objects.link("device", 7, adapter);
    objects.unlink(before);
    const after = objects.link("device", 7, adapter);
    assert.notEqual(after.handle, before.handle);
    assert.equal(objects.get("device", after.handle), after);
  });
});
