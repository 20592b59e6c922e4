import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "./bus.js";
import { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { KernelError } from "./error.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

const fail = (code: "EPROBE_DEFER" | "EIO" | "ENXIO") => () => {
  throw new KernelError(code, "as told");
};

test("bind takes the device's name, with or without a newline, and binds what matches", async () => {
  const { system, device, driver } = traced();
  const d = driver("d");
  const dev = device("d0");
  system.setDriversAutoprobe(toyBus, "0");
  await system.registerDriver(d);
  await system.addDevice(dev);
  assert.equal(dev.driver, null);
  await system.bind(d, "d0\n");
  assert.equal(dev.driver, d);
  await system.unbind(d, "d0");
  assert.equal(dev.driver, null);
});

test("bind answers ENODEV, EBUSY, EAGAIN, or what the probe says", async () => {
  const { system, device, driver } = traced();
  const [d, defers, broken, mismatch] = [
    driver("d"),
    driver("d0", { probe: fail("EPROBE_DEFER") }),
    driver("d0-", { probe: fail("ENXIO") }),
    driver("x"),
  ];
  system.setDriversAutoprobe(toyBus, "0");
  await assert.rejects(system.bind(d, "d0-"), { code: "ENODEV" }, "the driver is not registered");
  for (const each of [d, defers, broken, mismatch]) await system.registerDriver(each);
  await assert.rejects(system.bind(d, "d0-"), { code: "ENODEV" }, "no such device");
  const dev = device("d0-");
  await system.addDevice(dev);
  await assert.rejects(system.bind(mismatch, "d0-"), { code: "ENODEV" }, "it does not match");
  await assert.rejects(system.bind(defers, "d0-"), { code: "EAGAIN" });
  assert.deepEqual(system.deferredDevices(), [], "nobody is queued by hand");
  await assert.rejects(system.bind(broken, "d0-"), { code: "ENXIO" }, "the probe's own error");
  await system.bind(d, "d0-");
  await assert.rejects(system.bind(d, "d0-"), { code: "EBUSY" });
});

test("bind of a device that dies while it waits for the lock answers ENODEV", async () => {
  const { system, device, driver } = traced();
  const d = driver("d");
  const dev = device("d0");
  system.setDriversAutoprobe(toyBus, "0");
  await system.registerDriver(d);
  await system.addDevice(dev);
  const held = await dev.mutex.lock();
  const removing = system.removeDevice(dev);
  await turn();
  const binding = assert.rejects(system.bind(d, "d0"), { code: "ENODEV" });
  await turn();
  held.release();
  await removing;
  await binding;
});

test("unbind answers ENODEV unless that very driver is bound when it has the lock", async () => {
  const { system, device, driver } = traced();
  const going = new Completion(system.runtime, "going");
  const a = driver("d", { remove: () => going.wait() });
  const b = driver("d0");
  const dev = device("d0");
  await system.registerDriver(a);
  await system.registerDriver(b);
  await system.addDevice(dev);
  await assert.rejects(system.unbind(b, "d0"), { code: "ENODEV" });
  await assert.rejects(system.unbind(a, "nobody"), { code: "ENODEV" });
  const first = system.unbind(a, "d0");
  await turn();
  const rebind = system.bind(b, "d0");
  const late = assert.rejects(
    system.unbind(a, "d0"),
    { code: "ENODEV" },
    "it would have released the other driver",
  );
  await turn();
  going.completeAll();
  await Promise.all([first, rebind, late]);
  assert.equal(dev.driver, b);
});

test("a driver can keep people from binding and unbinding it", async () => {
  const { system, device, driver } = traced();
  const d = driver("d", { suppressBindAttrs: true });
  await system.registerDriver(d);
  await system.addDevice(device("d0"));
  await assert.rejects(system.unbind(d, "d0"), { code: "ENOENT" });
  await assert.rejects(system.bind(d, "d0"), { code: "ENOENT" });
});

test("with autoprobe off nothing is probed when it comes, and what is bound stays", async () => {
  const { system, device, driver } = traced();
  const d = driver("d");
  await system.registerDriver(d);
  const early = device("d0");
  await system.addDevice(early);
  system.setDriversAutoprobe(toyBus, "0 and the rest does not matter");
  assert.equal(system.driversAutoprobe(toyBus), "off");
  const late = device("d1");
  await system.addDevice(late);
  await system.registerDriver(driver("d1"));
  assert.deepEqual([early.driver, late.driver], [d, null]);
  await system.driversProbe(toyBus, "d1");
  assert.equal(late.driver, d, "drivers_probe looks all the same, in the order of registration");
  for (const text of ["1", "yes", "", "\n"]) {
    system.setDriversAutoprobe(toyBus, "0");
    system.setDriversAutoprobe(toyBus, text);
    assert.equal(system.driversAutoprobe(toyBus), "on", JSON.stringify(text));
  }
});

test("a deferred device is not retried while autoprobe is off", async () => {
  const { system, device, driver } = traced();
  let probes = 0;
  const d = driver("d", {
    probe() {
      probes += 1;
      throw new KernelError("EPROBE_DEFER", "later");
    },
  });
  await system.registerDriver(d);
  await system.addDevice(device("d0"));
  system.setDriversAutoprobe(toyBus, "0");
  const other = { ...toyBus, name: "other" };
  system.registerBus(other);
  await system.registerDriver(driver("x", { bus: other }));
  await system.addDevice(device("x", { bus: other }));
  await system.waitForProbe();
  assert.equal(probes, 1);
  assert.deepEqual(system.deferredDevices(), []);
});

test("drivers_probe: a missing device is ENODEV, a failed search EINVAL, the rest success", async () => {
  const { system, device, driver, trace } = traced();
  let match: () => boolean = () => false;
  const bus = { name: "moody", match: () => match() };
  system.registerBus(bus);
  const dev = device("d", { bus });
  await system.addDevice(dev);
  await assert.rejects(system.driversProbe(bus, "nobody"), { code: "ENODEV" });
  await system.driversProbe(bus, "d");
  await system.registerDriver(driver("d", { bus, probe: fail("EIO") }));
  match = fail("EIO");
  await assert.rejects(system.driversProbe(bus, "d"), { code: "EINVAL" });
  match = fail("EPROBE_DEFER");
  await assert.rejects(system.driversProbe(bus, "d"), { code: "EINVAL" });
  assert.deepEqual(system.deferredDevices(), [dev]);
  match = () => true;
  await system.driversProbe(bus, "d");
  assert.equal(dev.bound, false, "a probe that refuses is no error");
  await system.registerDriver(driver("e", { bus }));
  assert.equal(dev.driver?.name, "e");
  const events = trace.length;
  await system.driversProbe(bus, "d");
  assert.equal(trace.length, events, "one that has a driver is left alone");
});

test("drivers_probe says EINVAL when a supplier is missing, and queues the device", async () => {
  const { system, device, driver } = traced();
  const [consumer, supplier] = [device("c"), device("s")];
  await system.addDevice(supplier);
  system.addLink(consumer, supplier);
  await system.addDevice(consumer);
  await system.registerDriver(driver("c"));
  await assert.rejects(system.driversProbe(toyBus, "c"), { code: "EINVAL" });
  assert.deepEqual(system.deferredDevices(), [consumer]);
});

test("devices of a bus that is bound by hand are found by nobody, and bound by attach and bind", async () => {
  const { system, driver } = traced();
  const byHand: Bus<Device, Driver> = { name: "by-hand", match: () => true, binding: "by hand" };
  system.registerBus(byHand as Bus);
  const early = driver("early", { bus: byHand as Bus });
  const late = driver("late", { bus: byHand as Bus });
  await system.registerDriver(early);
  const dev = new Device(system.runtime, { name: "d0", bus: byHand as Bus });
  await system.addDevice(dev);
  await system.registerDriver(late);
  system.setDriversAutoprobe(byHand as Bus, "1");
  await system.driversProbe(byHand as Bus, "d0");
  await system.sysfs.write("/sys/bus/by-hand/drivers_probe", "d0");
  await system.probeDevice(dev);
  assert.equal(dev.driver, null);
  await system.attach(dev, early);
  assert.equal(dev.driver, early);
  await system.detach(dev);
  await system.bind(late, "d0");
  assert.equal(dev.driver, late);
  assert.equal(system.findDriver(byHand as Bus, "late"), late);
  assert.equal(system.findDriver(byHand as Bus, "later"), undefined);
});

test("a consumer that loses its supplier on a bus that is bound by hand is not bound again", async () => {
  const { system, device, driver } = traced();
  const byHand: Bus<Device, Driver> = { name: "by-hand", match: () => true, binding: "by hand" };
  system.registerBus(byHand as Bus);
  const user = driver("user", { bus: byHand as Bus });
  await system.registerDriver(user);
  const supplier = device("d0");
  const consumer = new Device(system.runtime, { name: "c0", bus: byHand as Bus });
  const d = driver("d");
  await system.registerDriver(d);
  await system.addDevice(supplier);
  await system.addDevice(consumer);
  system.addLink(consumer, supplier);
  await system.attach(consumer, user);
  await system.detach(supplier);
  await system.attach(supplier, d);
  await system.waitForProbe();
  assert.equal(consumer.driver, null);
  await system.attach(consumer, user);
  assert.equal(consumer.driver, user);
});

test("what goes on after its caller gave up has a reference to the device of its own", async () => {
  const { system, device, driver } = traced();
  const late = () => ({ deadline: system.runtime.clock.now() });
  const go = {
    probe: new Completion(system.runtime, "probe"),
    remove: new Completion(system.runtime, "remove"),
  };
  const d = driver("d", { probe: () => go.probe.wait(), remove: () => go.remove.wait() });
  const dev = device("d0");
  system.setDriversAutoprobe(toyBus, "0");
  await system.registerDriver(d);
  await system.addDevice(dev);
  const before = dev.references;
  await assert.rejects(system.attach(dev, d, late()), { code: "ETIMEDOUT" });
  assert.equal(dev.references, before + 1, "attach");
  go.probe.completeAll();
  await dev.mutex.withLock(() => undefined);
  await turn();
  assert.deepEqual([dev.driver, dev.references], [d, before]);
  await assert.rejects(system.detach(dev, d, late()), { code: "ETIMEDOUT" });
  assert.equal(dev.references, before + 1, "detach");
  await assert.rejects(system.removeDevice(dev, late()), { code: "ETIMEDOUT" });
  go.remove.completeAll();
  await dev.mutex.withLock(() => undefined);
  await turn();
  assert.deepEqual([dev.driver, dev.registered, dev.references], [null, true, before]);
  const going = new Completion(system.runtime, "going");
  const slow = driver("d0", { remove: () => going.wait() });
  await system.registerDriver(slow);
  await system.attach(dev, slow);
  await assert.rejects(system.removeDevice(dev, late()), { code: "ETIMEDOUT" });
  // The bus has given back its own.
  assert.equal(dev.references, before, "remove");
  going.completeAll();
  await dev.mutex.withLock(() => undefined);
  await turn();
  assert.equal(dev.references, 1, "the test's");
});
