import assert from "node:assert/strict";
import { test } from "node:test";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

async function supplied() {
  const made = traced();
  const { system, trace, device, driver } = made;
  system.setDriversAutoprobe(toyBus, "0");
  const sDriver = driver("s", {
    syncState: (device) => {
      trace.push(`sync ${device.name}`);
    },
  });
  const cDriver = driver("c");
  const [supplier, first, second] = [device("s"), device("c1"), device("c2")];
  for (const each of [sDriver, cDriver]) await system.registerDriver(each);
  for (const each of [supplier, first, second]) await system.addDevice(each);
  for (const each of [first, second]) system.addLink(each, supplier);
  await system.attach(supplier, sDriver);
  const syncs = async () => {
    await system.waitForProbe();
    return trace.filter((line) => line === "sync s").length;
  };
  return { ...made, sDriver, cDriver, supplier, first, second, syncs };
}

test("a supplier is told once, when its last consumer is bound", async () => {
  const { system, cDriver, supplier, first, second, syncs } = await supplied();
  await system.attach(first, cDriver);
  assert.deepEqual([await syncs(), system.stateSynced(supplier)], [0, false]);
  await system.attach(second, cDriver);
  assert.deepEqual([await syncs(), system.stateSynced(supplier)], [1, true]);
  await system.detach(first);
  await system.attach(first, cDriver);
  assert.equal(await syncs(), 1, "once per binding");
});

test("a supplier without consumers is told when it is bound, and each binding anew", async () => {
  const { system, trace, device, driver } = traced();
  const s = driver("s", { syncState: () => void trace.push("sync") });
  const dev = device("s");
  await system.registerDriver(s);
  await system.addDevice(dev);
  await system.waitForProbe();
  await system.detach(dev);
  await system.attach(dev, s);
  await system.waitForProbe();
  assert.equal(trace.filter((line) => line === "sync").length, 2);
});

test("a bus's own syncState takes the driver's place", async () => {
  const { system, trace, device, driver } = traced();
  const bus = { ...toyBus, name: "own", syncState: () => void trace.push("bus sync") };
  system.registerBus(bus);
  await system.registerDriver(driver("s", { bus, syncState: () => void trace.push("driver sync") }));
  await system.addDevice(device("s", { bus }));
  await system.waitForProbe();
  assert.ok(trace.includes("bus sync") && !trace.includes("driver sync"));
});

test("nobody is told while sync state is paused, and who was due is told at the last resume", async () => {
  const { system, cDriver, first, second, syncs } = await supplied();
  system.pauseSyncState();
  system.pauseSyncState();
  for (const each of [first, second]) await system.attach(each, cDriver);
  assert.equal(await syncs(), 0);
  system.resumeSyncState();
  assert.equal(await syncs(), 0);
  system.resumeSyncState();
  assert.equal(await syncs(), 1);
  assert.throws(() => system.resumeSyncState(), { code: "sync-state-not-paused" });
});

test("who is still missing a consumer at the resume is not told", async () => {
  const { system, cDriver, first, syncs } = await supplied();
  system.pauseSyncState();
  await system.attach(first, cDriver);
  system.resumeSyncState();
  assert.equal(await syncs(), 0);
});

test("it waits for the supplier's lock, and is not called any more when the driver has gone", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("s");
  await system.registerDriver(driver("s", { syncState: () => void trace.push("sync") }));
  system.pauseSyncState();
  await system.addDevice(dev);
  const held = await dev.mutex.lock();
  const leaving = system.detach(dev);
  await turn();
  system.resumeSyncState();
  await turn();
  held.release();
  await leaving;
  await system.waitForProbe();
  assert.ok(!trace.includes("sync"), "the release came first");
});

test("a write of 1 calls it early, once; anything else, or again, is EINVAL", async () => {
  const { system, cDriver, supplier, first, second, syncs } = await supplied();
  for (const text of ["0", "", "1\n", "11", "yes"]) {
    await assert.rejects(system.writeStateSynced(supplier, text), { code: "EINVAL" }, JSON.stringify(text));
  }
  await system.writeStateSynced(supplier, "1");
  assert.equal(await syncs(), 1);
  await assert.rejects(system.writeStateSynced(supplier, "1"), { code: "EINVAL" });
  for (const each of [first, second]) await system.attach(each, cDriver);
  assert.equal(await syncs(), 1);
  await assert.rejects(system.writeStateSynced(first, "1"), { code: "ENOENT" }, "its driver has none");
  await system.detach(supplier);
  await assert.rejects(system.writeStateSynced(supplier, "1"), { code: "ENODEV" });
});

test("a callback that fails is logged and holds nobody up", async () => {
  const { system, log, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  await system.registerDriver(driver("s", { syncState: () => go.wait() }));
  const dev = device("s");
  await system.addDevice(dev);
  go.fail(new Error("stuck"));
  await system.waitForProbe();
  assert.deepEqual(
    log.map(({ event }) => event),
    ["sync-state.failed"],
  );
  await system.removeDevice(dev);
});
