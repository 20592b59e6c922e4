import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "./bus.js";
import type { Device } from "./device.js";
import type { Driver } from "./driver.js";
import { KernelError } from "./error.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";

const usb: Bus<Device, Driver> = { ...toyBus, name: "usb", needParentLock: true };

async function hub() {
  const made = traced();
  const { system, trace, device, driver } = made;
  system.registerBus(usb);
  const parent = device("hub");
  await system.addDevice(parent);
  const child = device("d0", { bus: usb, parent });
  const locks = (what: string) => void trace.push(`${what}${parent.mutex.locked ? " with parent" : ""}`);
  const d = driver("d", { bus: usb, probe: () => locks("probe"), remove: () => locks("remove") });
  const seen = () => trace.filter((line) => /^(probe|remove)( with parent)?$/.test(line)).splice(0);
  return { ...made, parent, child, d, seen };
}

test("attach, detach, bind and unbind hold the parent's lock too", async () => {
  const { system, child, d, seen } = await hub();
  system.setDriversAutoprobe(usb, "0");
  await system.addDevice(child);
  await system.registerDriver(d);
  await system.attach(child, d);
  await system.detach(child, d);
  await system.bind(d, "d0");
  await system.unbind(d, "d0");
  await system.driversProbe(usb, "d0");
  assert.deepEqual(seen(), [
    "probe with parent",
    "remove with parent",
    "probe with parent",
    "remove with parent",
    "probe with parent",
  ]);
});

test("so do a new driver, an asynchronous one included, and a driver that leaves", async () => {
  for (const probeType of ["synchronous", "asynchronous"] as const) {
    const { system, child, d, seen } = await hub();
    await system.addDevice(child);
    const driver = { ...d, probeType };
    await system.registerDriver(driver);
    await system.waitForProbe();
    await system.unregisterDriver(driver);
    assert.deepEqual(seen(), ["probe with parent", "remove with parent"], probeType);
  }
});

test("so do a deferred probe that is retried, and an asynchronous driver for a new device", async () => {
  const { system, trace, parent, child, d, device, driver } = await hub();
  let ready = false;
  await system.registerDriver({
    ...d,
    probe: () => {
      trace.push(parent.mutex.locked ? "with parent" : "without");
      if (!ready) throw new KernelError("EPROBE_DEFER", "later");
    },
  });
  await system.addDevice(child);
  ready = true;
  await system.registerDriver(driver("x"));
  await system.addDevice(device("x"));
  await system.waitForProbe();
  assert.deepEqual(
    trace.filter((line) => /^with/.test(line)),
    ["without", "with parent"],
    "who adds a device holds the parent's lock, or does not need it",
  );
});

test("removing a device does not take its parent's lock: the parent's own remove may do it", async () => {
  const { system, parent, child, d, driver, seen } = await hub();
  const hubDriver = driver("hub", {
    async probe() {
      await system.addDevice(child);
    },
    async remove() {
      await system.removeDevice(child);
    },
  });
  await system.registerDriver(d);
  await system.registerDriver(hubDriver);
  assert.equal(child.bound, true);
  await system.removeDevice(parent);
  assert.deepEqual(
    seen(),
    ["probe with parent", "remove with parent"],
    "it is the parent's release that holds it",
  );
});

test("the parent comes first: who waits for the parent does not hold the device", async () => {
  const { system, parent, child, d } = await hub();
  system.setDriversAutoprobe(usb, "0");
  await system.addDevice(child);
  await system.registerDriver(d);
  const held = await parent.mutex.lock();
  const attaching = system.attach(child, d);
  await turn();
  assert.equal(child.mutex.locked, false);
  await system.removeDevice(child);
  held.release();
  await assert.rejects(attaching, { code: "ENODEV" });
});

test("a parent's lock that misses the deadline leaves nothing held", async () => {
  const { system, parent, child, d } = await hub();
  system.setDriversAutoprobe(usb, "0");
  await system.addDevice(child);
  await system.registerDriver(d);
  const soon = () => ({ deadline: system.runtime.clock.now() });
  const own = await child.mutex.lock();
  await assert.rejects(system.attach(child, d, soon()), { code: "ETIMEDOUT" });
  await turn();
  assert.equal(parent.mutex.locked, false);
  own.release();
  const held = await parent.mutex.lock();
  await assert.rejects(system.attach(child, d, soon()), { code: "ETIMEDOUT" });
  await turn();
  assert.equal(child.mutex.locked, false);
  held.release();
});

test("other buses leave the parent alone", async () => {
  const { system, trace, parent, device, driver } = await hub();
  await system.addDevice(device("e", { parent }));
  await system.registerDriver(
    driver("e", { probe: () => void trace.push(`parent ${parent.mutex.locked ? "locked" : "free"}`) }),
  );
  assert.ok(trace.includes("parent free"));
});
