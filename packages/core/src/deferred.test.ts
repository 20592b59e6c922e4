import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "./error.js";
import { traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

const defer = () => new KernelError("EPROBE_DEFER", "the supplier is not there");

test("a device whose probe defers is probed again when another device binds", async () => {
  const { system, trace, device, driver } = traced();
  let supplier = false;
  const consumer = device("consumer");
  await system.registerDriver(
    driver("consumer", {
      probe: () => {
        trace.push(supplier ? "consumer ready" : "consumer defers");
        if (!supplier) throw defer();
      },
    }),
  );
  await system.registerDriver(
    driver("supplier", {
      probe: () => {
        supplier = true;
      },
    }),
  );
  await system.addDevice(consumer);
  assert.deepEqual(system.deferredDevices(), [consumer]);
  await system.addDevice(device("supplier"));
  await system.waitForProbe();
  assert.equal(consumer.bound, true);
  assert.deepEqual(system.deferredDevices(), []);
  assert.equal(trace.filter((line) => line === "consumer defers").length, 1);
});

test("a supplier that binds while the consumer is deciding to defer is not missed", async () => {
  const { system, device, driver } = traced();
  let supplier = false;
  const deciding = new Completion(system.runtime, "deciding");
  const consumer = device("consumer");
  await system.registerDriver(
    driver("consumer", {
      async probe() {
        const seen = supplier;
        if (!seen) {
          await deciding.wait();
          throw defer();
        }
      },
    }),
  );
  await system.registerDriver(
    driver("supplier", {
      probe: () => {
        supplier = true;
      },
    }),
  );
  const adding = system.addDevice(consumer);
  await turn();
  await system.addDevice(device("supplier"));
  assert.equal(consumer.binding.state, "probing");
  deciding.complete();
  await adding;
  await system.waitForProbe();
  assert.equal(consumer.bound, true, "no later binding comes to the rescue");
});

test("a deferring driver lets the next one try, and a device that binds leaves the list", async () => {
  const { system, device, driver } = traced();
  const dev = device("ab0");
  await system.registerDriver(
    driver("a", {
      probe() {
        throw defer();
      },
    }),
  );
  await system.registerDriver(driver("ab"));
  const atBind: unknown[] = [];
  system.onUevent(({ action }) => {
    if (action === "bind") atBind.push(system.deferredDevices());
  });
  await system.addDevice(dev);
  assert.deepEqual(atBind, [[]]);
  assert.equal(dev.driver?.name, "ab");
  assert.deepEqual(system.deferredDevices(), []);
});

test("attach never queues: it answers EAGAIN", async () => {
  const { system, device, driver } = traced();
  const dev = device("d");
  const a = driver("a", {
    probe() {
      throw defer();
    },
  });
  await system.registerDriver(a);
  await system.addDevice(dev);
  await assert.rejects(system.attach(dev, a), { code: "EAGAIN" });
  assert.deepEqual(system.deferredDevices(), []);
});

test("a match that defers queues the device and is asked again", async () => {
  const { system, device, driver } = traced();
  let known = false;
  const bus = {
    name: "late",
    match: () => {
      if (!known) throw defer();
      return true;
    },
  };
  system.registerBus(bus);
  const dev = device("d", { bus });
  await system.registerDriver(driver("d", { bus }));
  await system.addDevice(dev);
  assert.deepEqual(system.deferredDevices(), [dev]);
  known = true;
  await system.registerDriver(driver("trigger"));
  await system.addDevice(device("trigger"));
  await system.waitForProbe();
  assert.equal(dev.bound, true);
});

test("a device that is removed before a new driver's match defers it is not queued", async () => {
  const { system, device, driver } = traced();
  const go = new Completion(system.runtime, "go");
  const bus = {
    name: "late",
    match: ({ name }: { name: string }) => {
      if (name === "second") throw defer();
      return true;
    },
  };
  system.registerBus(bus);
  const [first, second] = [device("first", { bus: bus }), device("second", { bus: bus })];
  await system.addDevice(first);
  await system.addDevice(second);
  const registering = system.registerDriver(driver("d", { bus: bus, probe: () => go.wait() }));
  await turn();
  await system.removeDevice(second);
  go.complete();
  await registering;
  assert.deepEqual(system.deferredDevices(), []);
});

test("a removed device leaves the list and is not probed again", async () => {
  const { system, trace, device, driver } = traced();
  const dev = device("d");
  await system.registerDriver(
    driver("d", {
      probe() {
        trace.push("probe d");
        throw defer();
      },
    }),
  );
  await system.registerDriver(driver("trigger"));
  await system.addDevice(dev);
  await system.unregisterDevice(dev);
  assert.deepEqual(system.deferredDevices(), []);
  await system.addDevice(device("trigger"));
  await system.waitForProbe();
  assert.equal(trace.filter((line) => line === "probe d").length, 1);
  assert.equal(dev.references, 0);
});

test("a device that lost its driver is looked at again, and waits when its probe defers", async () => {
  const { system, device, driver } = traced();
  const state = { supplier: true };
  const consumer = device("consumer");
  await system.registerDriver(
    driver("consumer", {
      probe: () => {
        if (!state.supplier) throw defer();
      },
    }),
  );
  await system.registerDriver(
    driver("supplier", {
      probe: () => {
        state.supplier = true;
      },
    }),
  );
  await system.addDevice(consumer);
  await system.probeDevice(consumer);
  assert.equal(consumer.bound, true);
  state.supplier = false;
  await system.detach(consumer);
  await system.probeDevice(consumer);
  assert.deepEqual(system.deferredDevices(), [consumer]);
  await system.addDevice(device("supplier"));
  await system.waitForProbe();
  assert.equal(consumer.bound, true);
  await system.removeDevice(consumer);
  await system.probeDevice(consumer);
  assert.equal(consumer.bound, false);
});
