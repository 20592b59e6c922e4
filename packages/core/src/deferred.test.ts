import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError } from "./error.js";
import { type Traced, toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";
import { interleave } from "./sync/controlled.test.fixture.js";
import { System } from "./system.js";

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

test("what a device waits for is told with it", async () => {
  const { system, device, driver } = traced();
  const dev = device("d");
  await system.registerDriver(
    driver("d", {
      probe() {
        throw defer();
      },
    }),
  );
  await system.addDevice(dev);
  assert.deepEqual(system.deferredProbes(), [
    { device: dev, reason: "EPROBE_DEFER: the supplier is not there", state: "waiting" },
  ]);
});

/** A probe that breaks the rule: it binds a child, takes it back and defers. */
async function endless(make: Traced, probes: { count: number; defers: boolean }) {
  const { system, device, driver } = make;
  await system.registerDriver(driver("child"));
  await system.registerDriver(
    driver("parent", {
      async probe(parent) {
        probes.count += 1;
        const child = device(`child of ${parent.name} ${probes.count}`, { parent });
        await system.addDevice(child);
        parent.devres.addAction(() => system.unregisterDevice(child));
        if (probes.defers) throw defer();
      },
    }),
  );
}

test("a probe that binds children and then defers is stopped, and one error names the rule", async () => {
  const made = traced();
  const { system, log, device } = made;
  const probes = { count: 0, defers: true };
  await endless(made, probes);
  const dev = device("parent");
  await system.addDevice(dev);
  await system.waitForProbe();
  assert.equal(probes.count, 11);
  const errors = log.filter(({ level }) => level === "error");
  assert.deepEqual(
    errors.map(({ event }) => event),
    ["probe.endless"],
  );
  assert.match(String(errors[0]?.fields["rule"]), /before it creates children/);
  assert.equal(system.deferredProbes()[0]?.state, "stopped");
  probes.defers = false;
  await system.registerDriver(made.driver("x"));
  await system.addDevice(device("x"));
  await system.waitForProbe();
  assert.equal(dev.bound, true, "another binding tries it again");
});

test("two such probes do not keep each other going, and an innocent one survives them", async () => {
  const made = traced();
  const { system, log, device, driver } = made;
  const probes = { count: 0, defers: true };
  let ready = false;
  await system.registerDriver(
    driver("innocent", {
      probe() {
        if (!ready) throw defer();
      },
    }),
  );
  const innocent = device("innocent");
  await system.addDevice(innocent);
  await endless(made, probes);
  for (const name of ["parent1", "parent2"]) await system.addDevice(device(name));
  await system.waitForProbe();
  assert.equal(log.filter(({ event }) => event === "probe.endless").length, 2);
  ready = true;
  await system.registerDriver(driver("x"));
  await system.addDevice(device("x"));
  await system.waitForProbe();
  assert.equal(innocent.bound, true);
});

test("an asynchronous probe that loops is stopped as well", async () => {
  const made = traced();
  const { system, log, device, driver } = made;
  let count = 0;
  await system.registerDriver(driver("child"));
  await system.registerDriver(
    driver("parent", {
      probeType: "asynchronous",
      async probe(parent) {
        const child = device(`child ${++count}`, { parent });
        await system.addDevice(child);
        parent.devres.addAction(() => system.unregisterDevice(child));
        throw defer();
      },
    }),
  );
  await system.addDevice(device("parent"));
  await system.waitForProbe();
  assert.equal(log.filter(({ event }) => event === "probe.endless").length, 1);
});

test("after its time a missing supplier is said to be missing for good, and everybody is tried once more", async () => {
  const probes: string[] = [];
  const { log } = await interleave([0], ({ runtime, task }) => {
    const system = new System(runtime, { deferredProbeTimeoutMs: 100 });
    const { device, driver } = traced(runtime);
    system.registerBus(toyBus);
    const sleep = (ms: number) =>
      runtime.scheduler.block("sleep", { name: "test" }, runtime.clock.now() + ms).wakeup;
    task("main", async () => {
      await system.registerDriver(
        driver("d", {
          probe() {
            const state = system.deferredProbeState();
            probes.push(`${runtime.clock.now()} ${state}`);
            if (state === "EPROBE_DEFER") throw defer();
          },
        }),
      );
      const dev = device("d");
      await sleep(1000);
      await system.addDevice(dev);
      await sleep(60);
      await system.registerDriver(driver("late"));
      await sleep(60);
      assert.equal(system.deferredProbeState(), "EPROBE_DEFER", "a new driver starts the time anew");
      await sleep(60);
      await system.waitForProbe();
      assert.equal(system.deferredProbeState(), "ETIMEDOUT");
      assert.equal(dev.bound, true);
    });
  });
  assert.deepEqual(probes, ["1000 EPROBE_DEFER", "1160 ETIMEDOUT"]);
  assert.deepEqual(
    log.filter(({ level }) => level === "warn").map(({ event }) => event),
    ["probe.still-deferred"],
  );
});
