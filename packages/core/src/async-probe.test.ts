import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "./error.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { createRuntime } from "./runtime.js";
import { Completion } from "./sync/completion.js";
import { System } from "./system.js";

test("nobody waits for an asynchronous driver's probes but waitForProbe", async () => {
  const { system, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const [first, second] = [device("d0"), device("d1")];
  await system.addDevice(first);
  await system.registerDriver(driver("d", { probeType: "asynchronous", probe: () => go.wait() }));
  await system.addDevice(second);
  await turn();
  assert.deepEqual([first.binding.state, second.binding.state], ["probing", "probing"], "both at once");
  go.completeAll();
  await system.waitForProbe();
  assert.deepEqual([first.bound, second.bound], [true, true]);
});

test("a new device tries its synchronous drivers first, then the asynchronous ones", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const refuse = (name: string) => ({
    async probe() {
      if (name === "async") await go.wait();
      trace.push(`${name} refuses`);
      throw new KernelError("ENODEV", "not mine");
    },
  });
  await system.registerDriver(driver("d", { probeType: "asynchronous", ...refuse("async") }));
  await system.registerDriver(driver("de", refuse("sync")));
  await system.registerDriver(driver("dev", { probeType: "asynchronous" }));
  trace.length = 0;
  await system.addDevice(device("dev0"));
  assert.deepEqual(trace, ["add dev0", "sync refuses"]);
  go.complete();
  await system.waitForProbe();
  assert.deepEqual(trace.slice(2), ["async refuses", "probe dev dev0", "bind dev0"]);
});

test("an asynchronous driver is not tried when a synchronous one binds", async () => {
  const { system, trace, device, driver } = traced();
  await system.registerDriver(driver("d", { probeType: "asynchronous" }));
  await system.registerDriver(driver("de"));
  await system.addDevice(device("dev0"));
  await system.waitForProbe();
  assert.ok(trace.includes("probe de dev0") && !trace.includes("probe d dev0"));
});

test("options make drivers asynchronous that do not insist on the contrary", async () => {
  for (const asyncDrivers of [["d", "f"], ["*"]]) {
    const system = new System(createRuntime(), { asyncDrivers });
    system.registerBus(toyBus);
    const made = traced(system.runtime);
    const go = new Completion(system.runtime, "go");
    const dev = made.device("d");
    await system.addDevice(dev);
    await system.registerDriver(made.driver("d", { probe: () => go.wait() }));
    await turn();
    assert.equal(dev.binding.state, "probing");
    const forced = made.device("f");
    await system.addDevice(forced);
    await system.registerDriver(made.driver("f", { probeType: "force-synchronous" }));
    assert.equal(forced.bound, true);
    go.complete();
    await system.waitForProbe();
  }
});

test("binding by hand waits for the probe, whatever its type", async () => {
  const { system, device, driver } = traced();
  const dev = device("x");
  const d = driver("d", { probeType: "asynchronous" });
  await system.registerDriver(d);
  await system.addDevice(dev);
  await system.attach(dev, d);
  assert.equal(dev.bound, true);
});

test("unregistering waits for the driver's asynchronous probes, and leaves nothing bound", async () => {
  const { system, trace, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const dev = device("d0");
  const d = driver("d", { probeType: "asynchronous", probe: () => go.wait() });
  await system.addDevice(dev);
  await system.registerDriver(d);
  await turn();
  let left = false;
  const leaving = system.unregisterDriver(d).then(() => {
    left = true;
  });
  await turn();
  assert.equal(left, false);
  go.complete();
  await leaving;
  assert.equal(dev.driver, null);
  assert.deepEqual(trace.slice(-4), ["bind d0", "remove d d0", "unbind d0", "remove d"]);
});

test("an asynchronous probe of a device that was removed or bound meanwhile does not happen", async () => {
  const { system, trace, device, driver } = traced();
  const [removed, bound] = [device("d0"), device("d1")];
  const other = driver("other");
  await system.registerDriver(other);
  for (const dev of [removed, bound]) await system.addDevice(dev);
  const locks = [await removed.mutex.lock(), await bound.mutex.lock()];
  const removing = system.removeDevice(removed);
  const binding = system.attach(bound, other);
  await turn();
  const registering = system.registerDriver(driver("d", { probeType: "asynchronous" }));
  await turn();
  for (const lock of locks) lock.release();
  await Promise.all([removing, binding, registering]);
  await system.waitForProbe();
  assert.equal(bound.driver, other);
  assert.ok(!trace.some((line) => line.startsWith("probe d ")));
});

test("an asynchronous probe that defers is retried, and waitForProbe waits for that too", async () => {
  const { system, device, driver } = traced();
  const state = { supplier: "missing" };
  const consumer = device("consumer");
  await system.registerDriver(
    driver("consumer", {
      probeType: "asynchronous",
      async probe() {
        await turn();
        if (state.supplier === "missing") throw new KernelError("EPROBE_DEFER", "no supplier");
      },
    }),
  );
  await system.addDevice(consumer);
  await system.waitForProbe();
  assert.deepEqual(system.deferredDevices(), [consumer]);
  state.supplier = "there";
  await system.registerDriver(driver("supplier", { probeType: "asynchronous" }));
  await system.addDevice(device("supplier"));
  await system.waitForProbe();
  assert.equal(consumer.bound, true);
  assert.deepEqual(system.deferredDevices(), []);
});
