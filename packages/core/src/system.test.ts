import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device } from "./device.js";
import { toyBus, traced } from "./model.test.fixture.js";

test("two systems with the same bus and driver objects do not notice each other", async () => {
  const [a, b] = [traced(), traced()];
  const driver = a.driver("d", { probe: (device) => `state of ${device.name}` });
  for (const { system } of [a, b]) await system.registerDriver(driver);
  const [inA, inB]: [Device, Device] = [a.device("d0"), b.device("d0")];
  await a.system.addDevice(inA);
  await b.system.addDevice(inB);
  await a.system.unregisterDriver(driver);
  assert.deepEqual([inA.bound, inB.bound], [false, true]);
  assert.deepEqual(a.system.devicesOf(toyBus), [inA]);
  assert.deepEqual(b.system.devicesOf(toyBus), [inB]);
  assert.equal(b.system.deviceAt("/devices/d0"), inB);
  assert.deepEqual(b.trace, ["add d", "add d0", "bind d0"]);
  const numbers: number[] = [];
  b.system.onUevent(({ seqnum }) => numbers.push(seqnum));
  await b.system.removeDevice(inB);
  assert.deepEqual(numbers, [5, 6], "the other system's events took no numbers");
  await assert.rejects(b.system.addDevice(a.device("d1")), { code: "wrong-runtime" });
});

test("a bus or class name is taken once", () => {
  const { system } = traced();
  assert.throws(() => system.registerBus({ name: "toy", match: () => true }), { code: "EEXIST" });
  system.registerClass({ name: "c" });
  assert.throws(() => system.registerClass({ name: "c" }), { code: "EEXIST" });
  assert.throws(() => system.devicesOf({ name: "unknown", match: () => true }), { code: "EINVAL" });
});
