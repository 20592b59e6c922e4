import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClassInterface } from "./class-members.js";
import { traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

function classWorld() {
  const made = traced();
  const deviceClass = { name: "net" };
  made.system.registerClass(deviceClass);
  const watcher = (name: string): ClassInterface => ({
    addDevice: (device) => void made.trace.push(`${name} + ${device.name}`),
    removeDevice: (device) => void made.trace.push(`${name} - ${device.name}`),
  });
  return {
    ...made,
    deviceClass,
    watcher,
    member: (name: string) => made.device(name, { class: deviceClass }),
  };
}

test("an interface sees the members there are and those to come, after their drivers, until they leave", async () => {
  const { system, trace, driver, deviceClass, watcher, member } = classWorld();
  const [early, late] = [member("d1"), member("d2")];
  await system.registerDriver(driver("d"));
  await system.addDevice(early);
  trace.length = 0;
  await system.registerInterface(deviceClass, watcher("w"));
  await system.addDevice(late);
  await system.removeDevice(early);
  assert.deepEqual(trace, [
    "w + d1",
    "add d2",
    "probe d d2",
    "bind d2",
    "w + d2",
    "w - d1",
    "remove d d1",
    "unbind d1",
    "remove d1",
  ]);
});

test("an interface that goes says goodbye to every member and hears no more", async () => {
  const { system, trace, deviceClass, watcher, member } = classWorld();
  const w = watcher("w");
  await system.registerInterface(deviceClass, w);
  await assert.rejects(system.registerInterface(deviceClass, w), { code: "EEXIST" });
  for (const name of ["a", "b"]) await system.addDevice(member(name));
  trace.length = 0;
  await system.unregisterInterface(deviceClass, w);
  await system.addDevice(member("c"));
  assert.deepEqual(trace, ["w - a", "w - b", "add c"]);
  await assert.rejects(system.unregisterInterface(deviceClass, w), { code: "EINVAL" });
});

test("a device that comes while an interface is being registered is seen once", async () => {
  const { system, trace, deviceClass, member } = classWorld();
  const go = new Completion(system.runtime, "go");
  await system.addDevice(member("a"));
  const seen: string[] = [];
  const registering = system.registerInterface(deviceClass, {
    async addDevice(device) {
      seen.push(device.name);
      await go.wait();
    },
  });
  await turn();
  const adding = system.addDevice(member("b"));
  await turn();
  go.completeAll();
  await Promise.all([registering, adding]);
  assert.deepEqual(seen, ["a", "b"]);
  assert.ok(trace.includes("add b"));
});

test("a device removed before it became a member is nobody's to see", async () => {
  const { system, trace, driver, deviceClass, watcher, member } = classWorld();
  const go = new Completion(system.runtime, "go");
  await system.registerInterface(deviceClass, watcher("w"));
  await system.registerDriver(driver("d", { probe: () => go.wait() }));
  const dev = member("d");
  const adding = system.addDevice(dev);
  await turn();
  const removing = system.removeDevice(dev);
  await turn();
  go.complete();
  await Promise.all([adding, removing]);
  assert.ok(!trace.some((line) => line.startsWith("w ")));
  assert.deepEqual(system.membersOf(deviceClass), []);
});

test("an interface that throws is logged, and the others are called", async () => {
  const { system, trace, log, deviceClass, watcher, member } = classWorld();
  await system.registerInterface(deviceClass, { addDevice: () => Promise.reject(new Error("no")) });
  await system.registerInterface(deviceClass, watcher("w"));
  await system.addDevice(member("a"));
  assert.ok(trace.includes("w + a"));
  assert.deepEqual(
    log.map(({ event }) => event),
    ["interface.failed"],
  );
});

test("a class goes when nobody is in it and nobody watches it, and its name is free again", async () => {
  const { system, trace, deviceClass, watcher, member } = classWorld();
  const dev = member("a");
  const w = watcher("w");
  await system.addDevice(dev);
  await assert.rejects(system.unregisterClass(deviceClass), { code: "EBUSY" });
  await system.removeDevice(dev);
  await system.registerInterface(deviceClass, w);
  await assert.rejects(system.unregisterClass(deviceClass), { code: "EBUSY" });
  await system.unregisterInterface(deviceClass, w);
  await system.unregisterClass(deviceClass);
  assert.equal(trace.at(-1), "remove net");
  await assert.rejects(system.unregisterClass(deviceClass), { code: "EINVAL" });
  await assert.rejects(system.addDevice(member("b")), { code: "EINVAL" });
  system.registerClass(deviceClass);
});

test("names that no file can have are refused for classes, buses and drivers", async () => {
  const { system, driver } = traced();
  for (const name of ["", ".", "..", "a/b", "a\0"]) {
    assert.throws(() => system.registerClass({ name }), { code: "EINVAL" });
    assert.throws(() => system.registerBus({ name, match: () => true }), { code: "EINVAL" });
    await assert.rejects(system.registerDriver(driver(name)), { code: "EINVAL" });
  }
});
