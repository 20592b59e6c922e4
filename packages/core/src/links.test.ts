import assert from "node:assert/strict";
import { test } from "node:test";
import type { Device } from "./device.js";
import { type Traced, toyBus, traced, turn } from "./model.test.fixture.js";
import { Completion } from "./sync/completion.js";

/** Two registered devices "c" and "s" with a driver each; autoprobe is off, so that each test says who binds when. */
async function pair() {
  const made = traced();
  const { system, device, driver } = made;
  system.setDriversAutoprobe(toyBus, "0");
  const [consumer, supplier] = [device("c"), device("s")];
  const [cDriver, sDriver] = [driver("c"), driver("s")];
  for (const each of [cDriver, sDriver]) await system.registerDriver(each);
  for (const each of [consumer, supplier]) await system.addDevice(each);
  made.trace.length = 0;
  return { ...made, consumer, supplier, cDriver, sDriver };
}

const slow = (made: Traced, name: string, go: Completion, part: "probe" | "remove") =>
  made.driver(name, { [part]: () => go.wait() });

test("a link's state follows its two ends", async () => {
  const { system, consumer, supplier, cDriver, sDriver } = await pair();
  const link = system.addLink(consumer, supplier);
  assert.equal(link.state, "dormant");
  await system.attach(supplier, sDriver);
  assert.equal(link.state, "available");
  await system.attach(consumer, cDriver);
  assert.equal(link.state, "active");
  await system.detach(consumer);
  assert.equal(link.state, "available");
  await system.detach(supplier);
  assert.equal(link.state, "dormant");
});

test("a link added late starts in the state of its two ends", async () => {
  const states: Record<string, string> = {};
  for (const s of ["unbound", "probing", "bound", "unbinding"]) {
    for (const c of ["unbound", "probing", "bound"]) {
      const made = traced();
      const { system } = made;
      const go = new Completion(system.runtime, "go");
      const bring = async (name: string, to: string): Promise<Device> => {
        const device = made.device(name);
        await system.addDevice(device);
        if (to === "unbound") return device;
        const part = to === "probing" ? "probe" : "remove";
        const driver = to === "bound" ? made.driver(name) : slow(made, name, go, part);
        const binding = system.registerDriver(driver);
        await turn();
        if (to !== "probing") await binding;
        if (to === "unbinding") void system.detach(device);
        await turn();
        assert.equal(device.binding.state, to);
        return device;
      };
      const [supplier, consumer] = [await bring("s", s), await bring("c", c)];
      states[`${s} ${c}`] = system.addLink(consumer, supplier).state;
      go.completeAll();
      await turn();
    }
  }
  assert.deepEqual(states, {
    "unbound unbound": "dormant",
    "unbound probing": "dormant",
    "unbound bound": "dormant",
    "probing unbound": "dormant",
    "probing probing": "consumer-probe",
    "probing bound": "dormant",
    "bound unbound": "available",
    "bound probing": "consumer-probe",
    "bound bound": "active",
    "unbinding unbound": "supplier-unbind",
    "unbinding probing": "supplier-unbind",
    "unbinding bound": "supplier-unbind",
  });
});

test("links that make no sense are refused", async () => {
  const { system, device, consumer, supplier } = await pair();
  const middle = device("m");
  const child = device("child", { parent: consumer });
  for (const each of [middle, child]) await system.addDevice(each);
  assert.throws(() => system.addLink(consumer, consumer), { code: "EINVAL" }, "itself");
  assert.throws(() => system.addLink(consumer, device("x")), { code: "ENODEV" }, "supplier not registered");
  assert.throws(() => system.addLink(consumer, child), { code: "EINVAL" }, "a child depends on its parent");
  system.addLink(consumer, middle);
  system.addLink(middle, supplier, ["stateless"]);
  assert.throws(
    () => system.addLink(supplier, consumer),
    { code: "EINVAL" },
    "a cycle, through a stateless link",
  );
  assert.throws(() => system.addLink(supplier, child), { code: "EINVAL" }, "a cycle through a parent");
  assert.throws(() => system.addLink(consumer, middle, ["stateless"]), { code: "EINVAL" }, "managed already");
  for (const flags of [
    ["stateless", "autoremove-consumer"],
    ["stateless", "autoprobe-consumer"],
    ["autoprobe-consumer", "autoremove-supplier"],
  ] as const) {
    assert.throws(() => system.addLink(child, supplier, flags), { code: "EINVAL" });
  }
  await system.removeDevice(child);
  assert.throws(() => system.addLink(child, supplier), { code: "ENODEV" }, "a consumer that is gone");
});

test("a consumer is not probed before its supplier is bound, and follows it", async () => {
  const { system, trace, device, driver } = traced();
  const [consumer, supplier] = [device("c"), device("s")];
  await system.addDevice(supplier);
  system.addLink(consumer, supplier);
  await system.registerDriver(driver("c"));
  await system.addDevice(consumer);
  const [waiting] = system.deferredProbes();
  assert.equal(waiting?.device, consumer);
  assert.match(waiting.reason, /supplier \/devices\/s/);
  trace.length = 0;
  await system.registerDriver(driver("s"));
  await system.waitForProbe();
  assert.deepEqual(
    trace.filter((line) => !line.startsWith("add")),
    ["probe s s", "bind s", "probe c c", "bind c"],
  );
});

test("attach without the supplier answers EAGAIN and queues nobody", async () => {
  const { system, trace, consumer, supplier, cDriver } = await pair();
  system.addLink(consumer, supplier);
  await assert.rejects(system.attach(consumer, cDriver), { code: "EAGAIN" });
  assert.deepEqual([system.deferredDevices(), trace], [[], []]);
});

test("one missing supplier holds none of the others", async () => {
  const { system, device, consumer, supplier, cDriver, sDriver } = await pair();
  const missing = device("missing");
  await system.addDevice(missing);
  await system.attach(supplier, sDriver);
  const link = system.addLink(consumer, supplier);
  system.addLink(consumer, missing);
  await assert.rejects(system.attach(consumer, cDriver), { code: "EAGAIN" });
  assert.equal(link.state, "available");
  await system.detach(supplier);
});

test("unbinding a supplier unbinds its consumers first, the consumers' consumers before them", async () => {
  const { system, trace, device, driver, consumer, supplier, cDriver, sDriver } = await pair();
  const last = device("l");
  const lDriver = driver("l");
  await system.registerDriver(lDriver);
  await system.addDevice(last);
  system.addLink(consumer, supplier);
  system.addLink(last, consumer);
  await system.attach(supplier, sDriver);
  await system.attach(consumer, cDriver);
  await system.attach(last, lDriver);
  trace.length = 0;
  await system.detach(supplier);
  assert.deepEqual(trace, ["remove l l", "unbind l", "remove c c", "unbind c", "remove s s", "unbind s"]);
});

test("removing a supplier, or unregistering its driver, unbinds the consumers too", async () => {
  for (const how of ["remove", "unregister"] as const) {
    const { system, trace, consumer, supplier, cDriver, sDriver } = await pair();
    const link = system.addLink(consumer, supplier);
    await system.attach(supplier, sDriver);
    await system.attach(consumer, cDriver);
    trace.length = 0;
    if (how === "remove") await system.removeDevice(supplier);
    else await system.unregisterDriver(sDriver);
    assert.deepEqual(trace.slice(0, 4), ["remove c c", "unbind c", "remove s s", "unbind s"]);
    assert.deepEqual(system.linksOf(consumer).suppliers, how === "remove" ? [] : [link]);
  }
});

test("unbinding a supplier waits for a consumer that is being probed", async () => {
  const made = await pair();
  const { system, trace, device, supplier, sDriver } = made;
  const go = new Completion(system.runtime, "go");
  const probing = device("p");
  const pDriver = slow(made, "p", go, "probe");
  await system.registerDriver(pDriver);
  await system.addDevice(probing);
  system.addLink(probing, supplier);
  await system.attach(supplier, sDriver);
  trace.length = 0;
  const attaching = system.attach(probing, pDriver);
  await turn();
  const detaching = system.detach(supplier);
  await turn();
  assert.equal(supplier.bound, true);
  assert.equal(supplier.mutex.locked, false, "it waits without its lock");
  go.complete();
  await attaching;
  await detaching;
  assert.deepEqual(trace, ["bind p", "remove p p", "unbind p", "remove s s", "unbind s"]);
});

test("two releases at once: the supplier's driver stays until the consumer's remove has ended", async () => {
  const made = await pair();
  const { system, trace, device, supplier, sDriver } = made;
  const going = new Completion(system.runtime, "going");
  const consumer = device("e");
  const eDriver = slow(made, "e", going, "remove");
  await system.registerDriver(eDriver);
  await system.addDevice(consumer);
  system.addLink(consumer, supplier);
  await system.attach(supplier, sDriver);
  await system.attach(consumer, eDriver);
  trace.length = 0;
  const releases = [system.detach(supplier), system.unregisterDriver(sDriver)];
  await turn();
  assert.equal(supplier.bound, true);
  going.complete();
  for (const release of releases) await release;
  assert.deepEqual(trace, ["unbind e", "remove s s", "unbind s", "remove s"]);
});

test("a release that finds another binding after its consumers were unbound leaves that alone", async () => {
  const made = await pair();
  const { system, trace, device, driver, supplier, sDriver } = made;
  const going = new Completion(system.runtime, "going");
  const consumer = device("e");
  const eDriver = slow(made, "e", going, "remove");
  const other = driver("s2");
  for (const each of [eDriver, other]) await system.registerDriver(each);
  await system.addDevice(consumer);
  system.addLink(consumer, supplier);
  await system.attach(supplier, sDriver);
  await system.attach(consumer, eDriver);
  const first = system.detach(supplier);
  await turn();
  // Keeps the second release in its gap until another driver is bound.
  const gap = consumer.mutex.lock();
  const second = system.detach(supplier);
  await turn();
  going.complete();
  await first;
  await system.attach(supplier, other);
  (await gap).release();
  await second;
  assert.equal(supplier.driver, other);
  assert.ok(trace.includes("remove s s") && !trace.includes("remove s2 s"));
});

test("a link made while both probe is active when the consumer is done, dormant when the supplier fails", async () => {
  const made = traced();
  const { system, device } = made;
  const [sGo, cGo] = [new Completion(system.runtime, "s go"), new Completion(system.runtime, "c go")];
  const [supplier, consumer] = [device("s"), device("c")];
  for (const each of [supplier, consumer]) await system.addDevice(each);
  const registering = [
    system.registerDriver(slow(made, "s", sGo, "probe")),
    system.registerDriver(slow(made, "c", cGo, "probe")),
  ];
  await turn();
  const link = system.addLink(consumer, supplier);
  cGo.complete();
  await turn();
  assert.equal(link.state, "active");
  sGo.fail(new Error("no"));
  await Promise.all(registering);
  assert.equal(link.state, "dormant");
  assert.equal(consumer.bound, true);
});

test("autoremove ends a link with its consumer's or its supplier's binding", async () => {
  for (const flag of ["autoremove-consumer", "autoremove-supplier"] as const) {
    const { system, consumer, supplier, cDriver, sDriver } = await pair();
    await system.attach(supplier, sDriver);
    const link = system.addLink(consumer, supplier, [flag]);
    await system.attach(consumer, cDriver);
    await system.detach(consumer);
    assert.deepEqual(system.linksOf(supplier).consumers, flag === "autoremove-consumer" ? [] : [link]);
    await system.detach(supplier);
    assert.deepEqual(system.linksOf(supplier).consumers, []);
    assert.equal(
      consumer.references,
      3,
      "its creator's, the bus's and the tree's: the link gave its own back",
    );
  }
});

test("adding a link again keeps it as long as the longer-lived use needs", async () => {
  const { system, consumer, supplier } = await pair();
  const link = system.addLink(consumer, supplier, ["autoremove-consumer"]);
  assert.equal(system.addLink(consumer, supplier, ["autoremove-supplier"]), link);
  assert.deepEqual([...link.flags], ["autoremove-supplier"]);
  assert.equal(system.addLink(consumer, supplier), link);
  assert.deepEqual([...link.flags], []);
});

test("a stateless link holds nobody back and stays until it is removed as often as it was added", async () => {
  const { system, consumer, supplier, cDriver } = await pair();
  const link = system.addLink(consumer, supplier, ["stateless"]);
  assert.equal(system.addLink(consumer, supplier, ["stateless"]), link);
  await system.attach(consumer, cDriver);
  assert.equal(link.state, "none");
  system.removeLink(link);
  assert.deepEqual(system.linksOf(consumer).suppliers, [link]);
  system.removeLink(link);
  assert.deepEqual(system.linksOf(consumer).suppliers, []);
  assert.throws(() => system.removeLink(link), { code: "ENODEV" });
  const managed = system.addLink(consumer, supplier);
  assert.throws(() => system.removeLink(managed), { code: "EINVAL" });
});

test("autoprobe has a consumer probed that nobody else would", async () => {
  const { system, device, driver } = traced();
  const [consumer, supplier] = [device("c"), device("s")];
  const cDriver = driver("c");
  await system.registerDriver(cDriver);
  await system.registerDriver(driver("s"));
  for (const each of [consumer, supplier]) await system.addDevice(each);
  for (const each of [consumer, supplier]) await system.detach(each);
  system.addLink(consumer, supplier, ["autoprobe-consumer"]);
  await system.probeDevice(supplier);
  await system.waitForProbe();
  assert.equal(consumer.bound, true);
});

test("a device that goes takes its links with it, and their references", async () => {
  for (const end of [0, 1]) {
    const { system, consumer, supplier } = await pair();
    system.addLink(consumer, supplier);
    system.addLink(consumer, supplier);
    const ends = [consumer, supplier] as const;
    await system.unregisterDevice(ends[end] as Device);
    assert.equal((ends[end] as Device).references, 0);
    assert.equal((ends[1 - end] as Device).references, 3);
    assert.deepEqual(system.linksOf(ends[1 - end] as Device), { suppliers: [], consumers: [] });
  }
});

test("a consumer that was never registered keeps its link until the supplier goes", async () => {
  const { system, device, supplier } = await pair();
  const consumer = device("later");
  system.addLink(consumer, supplier);
  assert.equal(consumer.references, 2);
  await system.removeDevice(supplier);
  assert.equal(consumer.references, 1);
});
