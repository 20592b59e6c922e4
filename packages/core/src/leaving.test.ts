import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device } from "./device.js";
import { traced } from "./model.test.fixture.js";

test("whoever listens is told before a device goes from its driver or is removed, without its lock held, and afterwards", async () => {
  const { system, device, driver, trace } = traced();
  const d = driver("d");
  const other = driver("other");
  const [one, two] = [device("d1"), device("d2")];
  await system.registerDriver(d);
  await system.registerDriver(other);
  await system.addDevice(one);
  await system.addDevice(two);
  const told: string[] = [];
  const end = system.leaving.listen((devices) => {
    const names = devices.map(({ name }) => name).join();
    told.push(`going ${names}`);
    assert.ok(devices.every((each: Device) => !each.mutex.locked && each.bound));
    return () => void told.push(`gone ${names}: ${devices.map((each) => each.bound).join()}`);
  });
  const failing = system.leaving.listen(() => Promise.reject(new Error("no time")));
  await assert.rejects(system.detach(one, other), { code: "ENODEV" });
  assert.deepEqual(told, []);
  await system.detach(one);
  await system.attach(one, d);
  await system.unbind(d, "d1\n");
  await system.attach(one, d);
  await system.unregisterDriver(d);
  await system.registerDriver(d);
  await system.removeDevice(one);
  assert.deepEqual(told, [
    "going d1",
    "gone d1: false",
    "going d1",
    "gone d1: false",
    "going d2,d1",
    "gone d2,d1: false,false",
    "going d1",
    "gone d1: false",
  ]);
  assert.ok(trace.length > 0);
  end();
  failing();
  await system.removeDevice(two);
  assert.equal(told.length, 8);
});
