import assert from "node:assert/strict";
import { test } from "node:test";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

test("unregistering a driver unbinds its devices, last bound first, then tells that it is gone", async () => {
  const { system, trace, device, driver } = traced();
  const d = driver("d");
  await system.registerDriver(d);
  for (const name of ["d1", "d2", "d3"]) await system.addDevice(device(name));
  trace.length = 0;
  await system.unregisterDriver(d);
  assert.deepEqual(trace, [
    "remove d d3",
    "unbind d3",
    "remove d d2",
    "unbind d2",
    "remove d d1",
    "unbind d1",
    "remove d",
  ]);
  await assert.rejects(system.unregisterDriver(d), { code: "ENODEV" });
  await system.registerDriver(d);
  assert.equal(system.findDevice(d.bus, "d1")?.bound, true, "it can come back");
});

test("a driver that is unregistered while it probes is not left bound", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const dev = device("x");
  const d = driver("d", { probe: () => go.wait() });
  await system.registerDriver(d);
  await system.addDevice(dev);
  const attaching = system.attach(dev, d);
  await turn();
  const leaving = system.unregisterDriver(d);
  await turn();
  go.complete();
  await attaching;
  await leaving;
  assert.equal(dev.driver, null);
  assert.deepEqual(trace.slice(-4), ["bind x", "remove d x", "unbind x", "remove d"]);
});

test("an attach that comes after the unregister began is refused", async () => {
  const { system, device, driver } = traced();
  const going = new Completion(system.runtime, "going");
  const d = driver("d", { remove: () => going.wait() });
  const [bound, free] = [device("d0"), device("x")];
  await system.registerDriver(d);
  await system.addDevice(bound);
  await system.addDevice(free);
  const leaving = system.unregisterDriver(d);
  await turn();
  await assert.rejects(system.attach(free, d), { code: "ENODEV" });
  await system.addDevice(device("d1"));
  assert.equal(system.findDevice(d.bus, "d1")?.driver, null, "autoprobe passes it over");
  await assert.rejects(
    system.registerDriver(driver("d")),
    { code: "EBUSY" },
    "the name is free when it is gone",
  );
  going.complete();
  await leaving;
});

test("a driver unregistered during its own registration stops probing and is never announced", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const [first, second] = [device("d1"), device("d2")];
  await system.addDevice(first);
  await system.addDevice(second);
  const d = driver("d", {
    async probe(device) {
      trace.push(`probe ${device.name}`);
      await go.wait();
    },
  });
  const registering = system.registerDriver(d);
  await turn();
  const leaving = system.unregisterDriver(d);
  await turn();
  go.completeAll();
  await registering;
  await leaving;
  assert.deepEqual([first.driver, second.driver], [null, null]);
  assert.deepEqual(trace, ["add d1", "add d2", "probe d1", "bind d1", "remove d d1", "unbind d1"]);
});

test("a device removed while its driver probes is unbound before it goes", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const dev = device("d0");
  await system.registerDriver(driver("d", { probe: () => go.wait() }));
  const adding = system.addDevice(dev);
  await turn();
  const removing = system.removeDevice(dev);
  const twice = assert.rejects(system.removeDevice(dev), { code: "ENODEV" });
  await turn();
  go.complete();
  await adding;
  await removing;
  await twice;
  assert.deepEqual(trace.slice(-5), ["add d0", "bind d0", "remove d d0", "unbind d0", "remove d0"]);
});

test("a device removed during its first probe does not show up among its parent's children or its class", async () => {
  const { system, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const deviceClass = { name: "c" };
  system.registerClass(deviceClass);
  const parent = device("parent");
  const child = device("d0", { parent, class: deviceClass });
  await system.addDevice(parent);
  await system.registerDriver(driver("d", { probe: () => go.wait() }));
  const adding = system.addDevice(child);
  await turn();
  const removing = system.removeDevice(child);
  await turn();
  go.complete();
  await Promise.all([adding, removing]);
  assert.equal(parent.children.size, 0);
  assert.deepEqual(system.membersOf(deviceClass), []);
});

test("a bus goes only when it is empty", async () => {
  const { system, device, driver } = traced();
  const d = driver("d");
  const dev = device("x");
  await system.registerDriver(d);
  await assert.rejects(system.unregisterBus(d.bus), { code: "EBUSY" });
  await system.unregisterDriver(d);
  await system.addDevice(dev);
  await assert.rejects(system.unregisterBus(d.bus), { code: "EBUSY" });
  await system.removeDevice(dev);
  await system.unregisterBus(d.bus);
  await assert.rejects(system.unregisterBus(d.bus), { code: "EINVAL" });
});

test("a bus and a class are forgotten at once, and gone when nothing runs on their attributes", async () => {
  const { system } = traced();
  const going = new Completion(system.runtime, "going");
  let running = 0;
  const slow = {
    name: "slow",
    show: async () => {
      running += 1;
      await going.wait();
      running -= 1;
      return "";
    },
  };
  const bus = { ...toyBus, name: "busy", attributes: [slow] };
  const deviceClass = { name: "busy", groups: [{ attributes: [slow] }] };
  system.registerBus(bus);
  system.registerClass(deviceClass);
  const reads = [
    system.attributesOf({ bus }).read("slow"),
    system.attributesOf({ deviceClass }).read("slow"),
  ];
  await turn();
  assert.equal(running, 2);
  const now = { deadline: system.runtime.clock.now() };
  const gone = [
    assert.rejects(system.unregisterBus(bus, now), { code: "ETIMEDOUT" }),
    system
      .unregisterClass(deviceClass)
      .then(() => assert.equal(running, 0, "something runs on what has gone")),
  ];
  await assert.rejects(system.unregisterBus(bus), { code: "EINVAL" });
  await assert.rejects(system.unregisterClass(deviceClass), { code: "EINVAL" });
  await gone[0];
  await turn();
  going.completeAll();
  await Promise.all([...gone, ...reads]);
});
