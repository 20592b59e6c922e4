/** What can go wrong between creating, removing and unregistering, each by hand in the order in which it would. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Device, DeviceNode, KernelError, miscClass } from "parhelion-core";
import { until } from "../rig.test.fixture.js";
import { mdevRig, plainInit, removeFile, uuids, withGate, withParent } from "./mdev.test.fixture.js";

const [one, two, three] = uuids;
const gpu = "/sys/devices/gpu0";
const create = `${gpu}/mdev_supported_types/toy-full/create`;

/** Lets everything that can run without a timer run. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("D7.1: a create that runs when its parent is unregistered ends first, one that comes later gets ENODEV", async () => {
  const { system, parent, reached, go, trace } = await withGate("probe");
  const early = system.sysfs.write(create, one);
  await reached.wait();
  const unregistering = parent.unregister();
  await turn();
  await assert.rejects(system.sysfs.write(create, two), { code: "ENODEV" });
  await assert.rejects(parent.create("full", three), { code: "ENODEV" });
  go.completeAll();
  assert.equal(await early, 36);
  await unregistering;
  assert.equal(system.sysfs.has(`${gpu}/mdev_supported_types`), false);
  assert.equal(trace.filter((line) => line === `remove ${one}`).length, 1);
  await assert.rejects(system.sysfs.write(create, two), { code: "ENOENT" });
});

test("D7.2: a remove that runs when its parent is unregistered does it, one that comes later leaves it to that", async () => {
  const { system, parent, reached, go, trace } = await withGate("remove");
  await parent.create("full", one);
  await parent.create("half", two);
  const early = system.sysfs.write(removeFile(one), "1");
  await reached.wait();
  const [first, second] = [parent.unregister(), parent.unregister()];
  await assert.rejects(parent.remove(two), { code: "ENODEV" });
  go.completeAll();
  assert.equal(await early, 1);
  await Promise.all([first, second]);
  for (const uuid of [one, two]) assert.equal(trace.filter((line) => line === `remove ${uuid}`).length, 1);
  assert.equal(trace.filter((line) => line === "change gpu0 unregistered").length, 1);
});

test("D7.3: of two writes to remove one removes, and the other has nothing left to do", async (t) => {
  const { system, parent, reached, go, trace } = await withGate("remove");
  t.after(() => parent.unregister());
  await parent.create("full", one);
  const file = removeFile(one);
  const [first, second] = [system.sysfs.write(file, "1\n"), system.sysfs.write(file, "1\n")];
  await reached.wait();
  assert.equal(await second, 2, "it does not wait for the winner");
  await assert.rejects(parent.remove(one), { code: "ENODEV" });
  go.completeAll();
  assert.equal(await first, 2);
  assert.equal(trace.filter((line) => line === `remove ${one}`).length, 1);
});

test("D7.4: a remove that comes too early is refused and can come again", async (t) => {
  const { system, mdev, parent, reached, go } = await withGate("probe");
  t.after(() => parent.unregister());
  const creating = parent.create("full", one);
  await reached.wait();
  assert.ok(mdev.find(one), "it is announced");
  await assert.rejects(system.sysfs.write(removeFile(one), "1"), { code: "ENOENT" });
  await assert.rejects(parent.remove(one), { code: "EAGAIN" });
  await assert.rejects(mdev.remove(one), { code: "EAGAIN" });
  go.completeAll();
  assert.equal((await creating).life.state, "active");
  await system.sysfs.write(removeFile(one), "1");
  assert.equal(mdev.find(one), undefined);
});

/** A parent whose driver `local` gives each device a node. */
async function withNodes() {
  const rig = await withParent(null);
  rig.system.registerClass(miscClass);
  await rig.system.unregisterDriver(rig.local);
  await rig.driver("local", {
    async probe(mdev) {
      const node = new DeviceNode(rig.runtime, {
        name: `node-${mdev.uuid}`,
        open: () => ({ request: (text) => text }),
      });
      const child = new Device(rig.runtime, { name: "node", parent: mdev, class: miscClass, node });
      await rig.system.addDevice(child);
      return child;
    },
    remove: (_mdev, child) => rig.system.unregisterDevice(child as Device),
  });
  return rig;
}

test("D7.5, D7.6: removing what is open, by its own user too, waits for nobody; its uuid is free when it is closed", async () => {
  const { system, mdev, parent } = await withNodes();
  await parent.create("full", one, { use: "local" });
  const file = await system.nodes.get(`node-${one}`)?.open();
  assert.ok(file);
  assert.equal(await file.request("hello"), "hello");
  // The user itself removes, with its file open.
  await system.sysfs.write(removeFile(one), "1");
  assert.equal(mdev.find(one), undefined);
  await assert.rejects(file.request("hello"), { code: "ENODEV" });
  await assert.rejects(parent.create("full", one), { code: "EEXIST" });
  assert.equal(await system.sysfs.read(`${gpu}/mdev_supported_types/toy-full/available_instances`), "1\n");
  await file.close();
  await parent.create("full", one);
  await parent.unregister();
});

test("D7.5: a driver that does not let go keeps its own device, and a remover only until its deadline", async () => {
  const { clock, mdev, parent, reached, go } = await withGate("remove");
  const stuck = await parent.create("full", one);
  await parent.create("half", two);
  const removing = assert.rejects(parent.remove(one, { deadline: 10 }), { code: "ETIMEDOUT" });
  await reached.wait();
  clock.moveTo(10);
  await removing;
  assert.equal(stuck.registered, false, "nobody finds it any more");
  await assert.rejects(parent.create("full", one), { code: "EEXIST" });
  await parent.remove(two);
  await parent.create("half", two);
  const unregistering = assert.rejects(parent.unregister({ deadline: 20 }), { code: "ETIMEDOUT" });
  await turn();
  clock.moveTo(20);
  await unregistering;
  go.completeAll();
  await parent.unregister();
  assert.equal(mdev.parents().length, 0);
});

test("D7.5: what is stuck in a remove or a create keeps no other device from going with its parent", async () => {
  for (const where of ["probe", "remove"] as const) {
    const { parent, reached, go, trace } = await withGate(where);
    const creating = parent.create("full", one);
    await parent.create("half", two);
    if (where === "remove") await creating;
    const removing = where === "remove" ? parent.remove(one) : null;
    await reached.wait();
    const unregistering = parent.unregister();
    await until(() => trace.includes("release state 2"), "the other one went");
    assert.ok(!trace.includes(`remove ${one}`));
    go.completeAll();
    await Promise.all([creating, removing, unregistering]);
    assert.equal(trace.filter((line) => line === `remove ${one}`).length, 1);
  }
});

test("D7.5: what is stuck keeps no other device from going with its parent", async () => {
  const { parent, reached, go, trace } = await withGate("remove");
  await parent.create("full", one);
  await parent.create("half", two);
  const unregistering = parent.unregister();
  await reached.wait();
  await until(() => trace.includes("release state 2"), "the other one went");
  assert.ok(!trace.includes(`remove ${one}`));
  go.completeAll();
  await unregistering;
});

test("D7.8: a uuid names one device in the whole system", async (t) => {
  const rig = await withParent(t);
  const { mdev, parent } = rig;
  const other = mdev.registerParent(await rig.addParent("gpu1"), plainInit(rig));
  t.after(() => other.unregister());
  const answers = await Promise.allSettled([parent.create("full", one), other.create("full", one)]);
  const refused = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason.code] : []));
  assert.deepEqual(refused, ["EEXIST"]);
  assert.equal([...parent.mdevs(), ...other.mdevs()].length, 1);
});

for (const how of ["at once", "later"] as const) {
  test(`D7.9: an allocation that fails ${how} gives uuid and instance back`, async (t) => {
    let memory = 0;
    const rig = await withParent(t, {
      available: { policy: "counter", instances: 1 },
      async create({ uuid }) {
        if (how === "later") await turn();
        memory += 1;
        if (memory <= 2) throw new KernelError("ENOMEM", "no memory");
        return uuid;
      },
    });
    const { system, parent, trace } = rig;
    await assert.rejects(system.sysfs.write(create, one), { code: "ENOMEM" });
    await assert.rejects(parent.create("half", one), { code: "ENOMEM" });
    assert.deepEqual(trace, [], "nobody heard of it");
    await parent.create("full", one);
    await assert.rejects(parent.create("full", two), { code: "EUSERS" });
    await assert.rejects(parent.create("full", one), { code: "EEXIST" });
  });
}

test("D7.10: the parent's memory outlives that of its devices", async () => {
  const { parent, device, trace, system } = await withParent(null);
  const mdev = await parent.create("full", one);
  mdev.get();
  await parent.unregister();
  await system.removeDevice(device);
  trace.length = 0;
  assert.ok(device.references > 0, "the mdev's memory holds its parent's device");
  assert.equal(parent.availableInstances({ name: "full", deviceApi: "toy-api" }), 1);
  mdev.put();
  assert.deepEqual(trace, ["release state 1", "free"]);
  assert.equal(parent.availableInstances({ name: "full", deviceApi: "toy-api" }), 2);
});

test("D7.10: an instance, and a uuid, are taken for as long as somebody has the device", async (t) => {
  const { parent, mdev } = await withParent(t, { available: { policy: "counter", instances: 1 } });
  const device = await parent.create("full", one);
  device.get();
  await mdev.remove(one);
  await assert.rejects(parent.create("full", two), { code: "EUSERS" });
  await assert.rejects(parent.create("full", one), { code: "EEXIST" });
  device.put();
  await parent.create("full", one);
});

test("D7.11: what the driver refuses leaves nothing: add and remove are told, and no bind", async (t) => {
  for (const [code, answer] of [
    ["ENOSPC", "ENOSPC"],
    ["ENODEV", "ENODEV"],
    ["EPROBE_DEFER", "EAGAIN"],
  ] as const) {
    const rig = mdevRig();
    await rig.driver("projected", {
      probe: () => {
        throw new KernelError(code, "as told");
      },
    });
    const parent = rig.mdev.registerParent(await rig.addParent("gpu0"), plainInit(rig));
    t.after(() => parent.unregister());
    rig.trace.length = 0;
    await assert.rejects(rig.system.sysfs.write(create, one), { code: answer });
    assert.deepEqual(rig.trace, [`add ${one}`, `remove ${one}`, "release state 1"]);
    assert.deepEqual(rig.system.deferredDevices(), []);
    assert.equal(parent.availableInstances({ name: "full", deviceApi: "toy-api" }), 2);
    await parent.create("full", one, { use: null });
  }
});

test("D7.12: what is available is computed, and two creates that have both seen room do not both get it", async (t) => {
  let free = 1;
  const rig = await withParent(t, {
    available: { policy: "computed", of: ({ name }) => (name === "half" ? free : Math.floor(free / 2)) },
    async create({ uuid }) {
      if (free === 0) throw new KernelError("ENOSPC", "no port is left");
      free -= 1;
      await turn();
      return uuid;
    },
    release: () => {
      free += 1;
    },
  });
  const { sysfs } = rig.system;
  const half = `${gpu}/mdev_supported_types/toy-half`;
  for (const expected of ["1\n", "1\n"]) {
    assert.equal(await sysfs.read(`${half}/available_instances`), expected);
  }
  const answers = await Promise.allSettled([one, two].map((uuid) => sysfs.write(`${half}/create`, uuid)));
  const refused = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason.code] : []));
  assert.deepEqual(refused, ["ENOSPC"]);
  assert.equal(await sysfs.read(`${half}/available_instances`), "0\n");
  for (const mdev of rig.parent.mdevs()) await rig.parent.remove(mdev.uuid);
  assert.equal(await sysfs.read(`${half}/available_instances`), "1\n");
});

test("D7.13: a driver that is unregistered lets go of its devices, which wait for another", async (t) => {
  const { system, mdev, parent, projected, trace } = await withParent(t);
  const device = await parent.create("full", one);
  trace.length = 0;
  await system.unregisterDriver(projected);
  assert.deepEqual(trace, ["remove projected 1", `unbind ${one}`, "remove projected"]);
  await assert.rejects(parent.create("full", two), { code: "ENODEV" });
  await mdev.setUse(one, "local");
  assert.equal(device.use, "local");
});

test("a create whose deadline passes is undone as soon as the driver lets it", async (t) => {
  const { clock, parent, reached, go, trace, mdev } = await withGate("probe");
  t.after(() => parent.unregister());
  const creating = assert.rejects(parent.create("full", one, { deadline: 10 }), { code: "ETIMEDOUT" });
  await reached.wait();
  clock.moveTo(10);
  await creating;
  await assert.rejects(parent.create("full", one), { code: "EEXIST" });
  go.completeAll();
  await until(() => trace.includes("release state 1"), "it is undone");
  assert.equal(mdev.find(one), undefined);
  const undone = [`remove ${one}`, "release state 1"];
  assert.deepEqual(trace, [`add ${one}`, `bind ${one}`, "remove projected 1", `unbind ${one}`, ...undone]);
});

test("a parent that is removed without being unregistered makes nothing new, and can be unregistered after", async () => {
  const { system, parent, device, trace, reached, go } = await withGate("probe");
  const creating = system.sysfs.write(create, one);
  await reached.wait();
  const removing = system.removeDevice(device);
  await turn();
  await assert.rejects(parent.create("full", two), { code: "ENODEV" });
  go.completeAll();
  await Promise.allSettled([creating, removing]);
  await parent.unregister();
  assert.deepEqual(parent.mdevs(), []);
  assert.equal(trace.at(-1), "free");
  assert.ok(!trace.includes("change gpu0 unregistered"), "nobody hears of a device that has gone");
});

test("whoever removes the device, its uuid and instance come back", async (t) => {
  const { system, parent, trace } = await withParent(t, { available: { policy: "counter", instances: 1 } });
  const device = await parent.create("full", one);
  await system.removeDevice(device);
  assert.equal(trace.at(-1), "release state 1");
  await parent.create("full", one);
});

test("a parent whose release or free fails is logged, and nothing is kept", async () => {
  const fail = () => {
    throw new Error("broken");
  };
  const { parent, log } = await withParent(null, {
    available: { policy: "counter", instances: 1 },
    release: fail,
    free: fail,
  });
  await parent.create("full", one);
  await parent.remove(one);
  await parent.create("full", one);
  await parent.unregister();
  assert.deepEqual(
    log.map(({ event }) => event),
    ["mdev.release-failed", "mdev.release-failed", "mdev.free-failed"],
  );
});
