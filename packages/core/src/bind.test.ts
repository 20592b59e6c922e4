import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "./error.js";
import { toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";
import { System } from "./system.js";

test("binding runs probe, then tells; unbinding runs remove, then devres in reverse, then tells", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("net0");
  const net = driver("net", {
    probe(device) {
      trace.push(`probe, driver ${device.driver?.name}, bound ${device.bound}`);
      device.devres.addAction(() => void trace.push(`release 1, data ${device.driverData}`));
      device.devres.addAction(() => void trace.push("release 2"));
      return "state";
    },
    remove(device, state) {
      trace.push(`remove, state ${state}, driver ${device.driver?.name}, bound ${device.bound}`);
    },
  });
  await system.addDevice(dev);
  await system.registerDriver(net);
  assert.equal(dev.bound, true);
  assert.equal(dev.driverData, "state");
  trace.push("-");
  await system.detach(dev);
  assert.deepEqual(trace, [
    "add net0",
    "probe, driver net, bound false",
    "bind net0",
    "add net",
    "-",
    "remove, state state, driver net, bound false",
    "release 2",
    "release 1, data state",
    "unbind net0",
  ]);
  assert.equal(dev.driver, null);
  assert.equal(dev.driverData, undefined);
  assert.equal(dev.binding.state, "unbound");
});

test("a failed probe is unwound without remove and without uevents, and its error reaches who attached", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("x0");
  const failing = driver("y", {
    probe(device) {
      device.devres.addAction(() => void trace.push(`release 1, driver ${device.driver?.name}`));
      device.devres.addAction(() => void trace.push("release 2"));
      throw new KernelError("ENOSPC", "no more of it");
    },
  });
  await system.addDevice(dev);
  await system.registerDriver(failing);
  trace.length = 0;
  await assert.rejects(system.attach(dev, failing), { code: "ENOSPC", errno: 28 });
  assert.deepEqual(trace, ["release 2", "release 1, driver y"]);
  assert.deepEqual([dev.driver, dev.driverData, dev.binding.state], [null, undefined, "unbound"]);
  await system.unregisterDriver(failing);
});

test("a driver that refuses lets the next one try, in the order of registration, and the first that binds ends it", async () => {
  const { system, trace, device, driver } = traced();
  const refuse = (code: "ENODEV" | "EIO") => () => {
    trace.push(`refuse ${code}`);
    throw new KernelError(code, "not me");
  };
  for (const each of [
    driver("z"),
    driver("a", { probe: refuse("EIO") }),
    driver("ab", { probe: refuse("ENODEV") }),
    driver("abc"),
    driver("abcd"),
  ]) {
    await system.registerDriver(each);
  }
  trace.length = 0;
  await system.addDevice(device("abcdef"));
  assert.deepEqual(trace, ["add abcdef", "refuse EIO", "refuse ENODEV", "probe abc abcdef", "bind abcdef"]);
});

test("refusals are logged by what they mean", async () => {
  const { system, log, device, driver } = traced();
  await system.addDevice(device("d"));
  for (const code of ["ENODEV", "ENXIO", "EPROBE_DEFER", "EIO"] as const) {
    const each = driver("d", {
      probe() {
        throw new KernelError(code, "no");
      },
    });
    await system.registerDriver(each);
    await system.unregisterDriver(each);
  }
  assert.deepEqual(
    log.map(({ level, event }) => `${level} ${event}`),
    ["debug probe.not-mine", "debug probe.not-mine", "debug probe.deferred", "error probe.failed"],
  );
});

test("attach refuses what can't be bound, and says why", async () => {
  const { system, device, driver } = traced();
  const dev = device("a0");
  const a = driver("a");
  const b = driver("b");
  await assert.rejects(system.attach(dev, a), { code: "ENODEV" }, "the driver is not registered");
  await system.registerDriver(a);
  await system.registerDriver(b);
  await assert.rejects(system.attach(dev, a), { code: "ENODEV" }, "the device is not registered");
  await system.addDevice(dev);
  await assert.rejects(system.attach(dev, a), { code: "EBUSY" }, "bound by autoprobe already");
  await assert.rejects(system.attach(dev, b), { code: "EBUSY" }, "bound to another");
  const other = { name: "other", match: () => true };
  await assert.rejects(system.attach(dev, { ...a, bus: other }), { code: "EINVAL" });
  await system.detach(dev, a);
  await system.attach(dev, b);
  assert.equal(dev.driver, b, "attach does not ask match");
  await system.removeDevice(dev);
  await assert.rejects(system.attach(dev, a), { code: "ENODEV" }, "the device is dead");
  await assert.rejects(system.removeDevice(dev), { code: "ENODEV" });
});

test("a probe is refused while resources from before it are registered", async () => {
  const { system, device, driver } = traced();
  const dev = device("a0");
  const a = driver("a");
  await system.addDevice(dev);
  const early = dev.devres.addAction(() => {});
  await system.registerDriver(a);
  assert.equal(dev.bound, false);
  await assert.rejects(system.attach(dev, a), { code: "EBUSY" });
  dev.devres.removeAction(early);
  await system.attach(dev, a);
  assert.equal(dev.bound, true);
});

test("detach with an expected driver leaves another driver bound", async () => {
  const { system, device, driver } = traced();
  const dev = device("a0");
  const a = driver("a");
  const b = driver("b");
  await system.registerDriver(a);
  await system.registerDriver(b);
  await system.addDevice(dev);
  await assert.rejects(system.detach(dev, b), { code: "ENODEV" });
  assert.equal(dev.driver, a);
  await system.detach(dev, a);
  await system.detach(dev);
  await assert.rejects(system.detach(dev, a), { code: "ENODEV" });
});

test("a detach that saw its driver bound does not release the one that was bound meanwhile", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("a0");
  const leaving = new Completion(system.runtime, "leaving");
  const a = driver("a", { remove: () => leaving.wait() });
  const b = driver("b");
  await system.registerDriver(a);
  await system.registerDriver(b);
  await system.addDevice(dev);
  const first = system.detach(dev, a);
  await turn();
  const rebind = system.attach(dev, b);
  await turn();
  const second = system.detach(dev, a);
  await turn();
  leaving.complete();
  await first;
  await rebind;
  await assert.rejects(second, { code: "ENODEV" });
  assert.equal(dev.driver, b);
  assert.ok(!trace.includes("remove b a0"));
});

test("of two attaches that race, one binds and the other gets EBUSY", async () => {
  const { system, device, driver } = traced();
  const dev = device("d0");
  const go = new Completion(system.runtime, "go");
  const slow = driver("slow", { probe: () => go.wait() });
  const fast = driver("fast");
  await system.registerDriver(slow);
  await system.registerDriver(fast);
  await system.addDevice(dev);
  const first = system.attach(dev, slow);
  await turn();
  const second = assert.rejects(system.attach(dev, fast), { code: "EBUSY" });
  await turn();
  go.complete();
  await first;
  await second;
  assert.equal(dev.driver, slow);
});

test("a remove that fails is logged and the device is unbound all the same", async () => {
  const { system, log, trace, device, driver } = traced();
  const dev = device("a0");
  await system.registerDriver(driver("a", { remove: () => Promise.reject(new Error("stuck")) }));
  await system.addDevice(dev);
  await system.detach(dev);
  assert.equal(dev.driver, null);
  assert.equal(trace.at(-1), "unbind a0");
  assert.deepEqual(
    log.map(({ event }) => event),
    ["remove.failed"],
  );
});

test("a bus with its own probe and remove calls the driver itself", async () => {
  const { trace, device, driver } = traced();
  const system = new System();
  const bus = {
    name: "own",
    match: () => true,
    probe: () => {
      trace.push("bus probe");
      return 7;
    },
    remove: (_device: unknown, _driver: unknown, data: unknown) => void trace.push(`bus remove ${data}`),
  };
  system.registerBus(bus);
  const made = traced(system.runtime);
  const dev = made.device("d", { bus });
  await system.registerDriver(driver("d", { bus }));
  await system.addDevice(dev);
  assert.equal(dev.driverData, 7);
  await system.detach(dev);
  assert.deepEqual(trace, ["bus probe", "bus remove 7"]);
  assert.equal(device("unused").registered, false);
});

test("a call that a driver keeps waiting ends by its deadline, and the work completes later", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("a0");
  const go = new Completion(system.runtime, "go");
  const a = driver("a", { probe: () => go.wait() });
  await system.addDevice(dev);
  await system.registerDriver(a, { deadline: system.runtime.clock.now() });
  const soon = () => ({ deadline: system.runtime.clock.now() });
  await assert.rejects(system.attach(dev, a, soon()), { code: "ETIMEDOUT" });
  await assert.rejects(system.removeDevice(dev, soon()), { code: "ETIMEDOUT" });
  assert.equal(dev.registered, true, "the removal could not begin and changed nothing");
  go.complete();
  await system.removeDevice(dev);
  assert.deepEqual(trace, ["add a0", "bind a0", "add a", "remove a a0", "unbind a0", "remove a0"]);
});

test("match errors: an error ends the search for a device, a driver skips the device", async () => {
  const { system, log, device, driver } = traced();
  const bus = {
    ...toyBus,
    name: "picky",
    match: (_device: unknown, { name }: { name: string }) => {
      if (name === "bad") throw new KernelError("EIO", "unreadable id");
      return true;
    },
  };
  system.registerBus(bus);
  const [bad, good] = [driver("bad", { bus }), driver("good", { bus })];
  await system.registerDriver(bad);
  await system.registerDriver(good);
  const dev = device("d", { bus });
  await system.addDevice(dev);
  assert.equal(dev.bound, false, "bad comes first and its match error ends the search");
  assert.equal(log.at(-1)?.event, "match.failed");
  await system.unregisterDriver(good);
  await system.registerDriver(good);
  assert.equal(dev.bound, true, "a new driver asks for itself only");
});

test("a driver can't be set by hand: attach is the only way to bind", async () => {
  const { system, device, driver } = traced();
  const gpu = device("gpu0");
  await system.addDevice(gpu);
  for (const [field, value] of Object.entries({ driver: driver("gpu"), driverData: {}, devres: null })) {
    assert.throws(() => Object.assign(gpu, { [field]: value }), TypeError, field);
  }
  assert.equal(gpu.driver, null);
  await system.unregisterDevice(gpu);
});
