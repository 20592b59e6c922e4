/** Parents, their types, and the files through which devices are made and removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Bus, Device, KernelError, System } from "parhelion-core";
import { MdevBus, type MdevParentInit } from "./index.js";
import { mdevRig, plainInit, uuids, withParent } from "./mdev.test.fixture.js";

const [one, two, three] = uuids;
const gpu = "/sys/devices/gpu0";
const types = `${gpu}/mdev_supported_types`;

test("a parent and what is made of it stand in the tree as in Linux", async (t) => {
  const { system, parent } = await withParent(t);
  const { sysfs } = system;
  await parent.create("full", one);
  const shown = [...sysfs.walk("/sys")].map(({ path, kind, mode }) => {
    if (kind === "link") return `${path} -> ${sysfs.readlink(path)}`;
    return kind === "directory" ? `${path}/` : `${path} 0${mode.toString(8)}`;
  });
  for (const line of [
    `${types}/`,
    `${types}/toy-full/`,
    `${types}/toy-full/create 0200`,
    `${types}/toy-full/device_api 0444`,
    `${types}/toy-full/name 0444`,
    `${types}/toy-full/description 0444`,
    `${types}/toy-full/available_instances 0444`,
    `${types}/toy-full/devices/`,
    `${types}/toy-full/devices/${one} -> ../../../${one}`,
    `${types}/toy-half/devices/`,
    `${gpu}/${one}/`,
    `${gpu}/${one}/remove 0200`,
    `${gpu}/${one}/mdev_type -> ../mdev_supported_types/toy-full`,
    `${gpu}/${one}/driver -> ../../../bus/mdev/drivers/projected`,
    `/sys/bus/mdev/devices/${one} -> ../../../devices/gpu0/${one}`,
    "/sys/class/mdev_bus/gpu0 -> ../../devices/gpu0",
  ]) {
    assert.ok(shown.includes(line), `${line} in\n${shown.join("\n")}`);
  }
  assert.equal(sysfs.has(`${types}/toy-half/description`), false);
  assert.deepEqual(sysfs.list(`${types}/toy-half/devices`), []);
});

test("every value is a line", async (t) => {
  const { system } = await withParent(t);
  const values: Record<string, string> = {
    "toy-full/name": "All of it\n",
    "toy-half/name": "toy-half\n",
    "toy-full/device_api": "toy-api\n",
    "toy-full/description": "everything\nthere is\n",
    "toy-half/available_instances": "2\n",
  };
  for (const [file, value] of Object.entries(values)) {
    assert.equal(await system.sysfs.read(`${types}/${file}`), value, file);
  }
});

test("a tool that walks the tree lists, starts and stops as mdevctl does", async (t) => {
  const { system } = await withParent(t);
  const { sysfs } = system;
  const parent = "/sys/class/mdev_bus/gpu0";
  assert.equal(sysfs.stat(sysfs.realpath(parent)).kind, "directory");
  const type = `${parent}/mdev_supported_types/toy-half`;
  assert.notEqual(Number.parseInt(await sysfs.read(`${type}/available_instances`), 10), 0);
  assert.equal(await sysfs.write(`${type}/create`, one), 36);
  const [active] = sysfs.list("/sys/bus/mdev/devices");
  assert.equal(active, one);
  const device = sysfs.realpath(`/sys/bus/mdev/devices/${active}`);
  assert.equal(device.split("/").at(-2), "gpu0");
  assert.equal(sysfs.readlink(`${device}/mdev_type`).split("/").at(-1), "toy-half");
  assert.equal(await sysfs.read(`${type}/available_instances`), "1\n");
  assert.equal(await sysfs.write(`/sys/bus/mdev/devices/${active}/remove`, "1"), 1);
  assert.deepEqual(sysfs.list("/sys/bus/mdev/devices"), []);
  assert.equal(await sysfs.read(`${type}/available_instances`), "2\n");
});

test("create takes a uuid of 36 bytes with or without a newline, in any case, and nothing else", async (t) => {
  const { system, parent } = await withParent(t);
  const create = `${types}/toy-full/create`;
  const upper = "ABCDEF00-0000-4000-8000-00000000000A";
  await system.sysfs.write(create, `${upper}\n`);
  assert.equal(parent.mdevs()[0]?.name, upper.toLowerCase());
  assert.ok(parent.find(upper));
  await assert.rejects(system.sysfs.write(create, upper.toLowerCase()), { code: "EEXIST" });
  for (const wrong of [
    "",
    "\n",
    one.slice(1),
    `${one}\n\n`,
    `${one}x`,
    ` ${one.slice(1)}`,
    one.replaceAll("-", "0"),
    `{${one}}`,
    one.replace("0", "g"),
    `${one.slice(0, 34)}é`,
    "../../../../../../../../../../../../",
  ]) {
    await assert.rejects(system.sysfs.write(create, wrong), { code: "EINVAL" }, JSON.stringify(wrong));
  }
  await system.sysfs.write(create, `${two}\0`);
  assert.deepEqual(
    parent.mdevs().map(({ uuid }) => uuid),
    [upper.toLowerCase(), two],
  );
});

test("nothing that is written to create or remove does anything but its duty or EINVAL", async (t) => {
  const { system, parent } = await withParent(t, { available: { policy: "counter", instances: 3 } });
  await parent.create("half", one);
  const number = /^\+?(0x[0-9a-f]+|[0-9]+)\n?$/i;
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[ \n0-9a-fx+-]{0,40}$/)),
      async (text) => {
        await assert.rejects(system.sysfs.write(`${types}/toy-full/create`, text), { code: "EINVAL" });
        fc.pre(!number.test(text));
        await assert.rejects(system.sysfs.write(`${gpu}/${one}/remove`, text), { code: "EINVAL" });
      },
    ),
    { numRuns: 200, seed: 1 },
  );
  assert.equal(parent.mdevs().length, 1);
});

test("remove takes a number: none, zero is accepted and does nothing, any other removes", async (t) => {
  const { system, parent } = await withParent(t);
  await parent.create("full", one);
  const remove = `${gpu}/${one}/remove`;
  for (const wrong of ["", "\n", "yes", "-1", "1 2", "1\n\n", "0x", "09", "18446744073709551616"]) {
    await assert.rejects(system.sysfs.write(remove, wrong), { code: "EINVAL" }, JSON.stringify(wrong));
  }
  for (const nothing of ["0", "0\n", "00", "0x0", "+0"]) await system.sysfs.write(remove, nothing);
  assert.equal(parent.mdevs().length, 1);
  for (const number of ["1", "2\n", "0x1f", "017", "18446744073709551615"]) {
    if (parent.find(one) === undefined) await parent.create("full", one);
    await system.sysfs.write(remove, number);
    assert.equal(parent.mdevs().length, 0, number);
  }
});

test("a parent may see to a removal by hand itself, and refuse it", async (t) => {
  let answer: "refuse" | "remove" = "refuse";
  const asked: string[] = [];
  const { system, parent } = await withParent(t, {
    async remove({ uuid, state }) {
      asked.push(state);
      if (answer === "refuse") throw new KernelError("EIO", "not now");
      await parent.remove(uuid);
    },
  });
  await parent.create("full", one);
  const remove = `${gpu}/${one}/remove`;
  for (let time = 0; time < 2; time++) {
    await assert.rejects(system.sysfs.write(remove, "1"), { code: "EIO" });
    assert.equal(parent.find(one)?.use, "projected");
  }
  answer = "remove";
  await system.sysfs.write(remove, "0");
  await system.sysfs.write(remove, "1");
  assert.deepEqual([parent.mdevs().length, asked.length], [0, 3]);
  await parent.create("full", one);
  // Not by hand.
  await parent.remove(one);
  assert.equal(asked.length, 3);
});

test("a life is announced in order: the parent with its state, then each device", async () => {
  const { system, trace, parent } = await withParent(null);
  await parent.create("full", one);
  await system.sysfs.write(`${gpu}/${one}/remove`, "1");
  await parent.create("half", two);
  await parent.unregister();
  assert.deepEqual(trace, [
    `add ${one}`,
    "probe projected 1",
    `bind ${one}`,
    "remove projected 1",
    `unbind ${one}`,
    `remove ${one}`,
    "release state 1",
    `add ${two}`,
    "probe projected 2",
    `bind ${two}`,
    "remove projected 2",
    `unbind ${two}`,
    `remove ${two}`,
    "release state 2",
    "change gpu0 unregistered",
    "free",
  ]);
});

test("a parent is announced when its types are there, so that a listener can create at once", async () => {
  const rig = mdevRig();
  await rig.driver("projected");
  const device = await rig.addParent("gpu0");
  const created: Promise<unknown>[] = [];
  rig.system.onUevent(({ keys }) => {
    if (!keys.some(([key, value]) => key === "MDEV_STATE" && value === "registered")) return;
    assert.ok(rig.system.sysfs.has("/sys/class/mdev_bus/gpu0"));
    created.push(
      rig.system.sysfs.write("/sys/class/mdev_bus/gpu0/mdev_supported_types/toy-full/create", one),
    );
  });
  const parent = rig.mdev.registerParent(device, plainInit(rig));
  await Promise.all(created);
  assert.equal(created.length, 1);
  assert.equal(rig.mdev.find(one)?.use, "projected");
  await parent.unregister();
});

test("the device shows its type and its files from its first announcement on, and remove last of all", async (t) => {
  const { system, mdev, parent } = await withParent(t, {
    groups: [{ name: "slice", attributes: [{ name: "state", show: (device) => `${device.state}\n` }] }],
  });
  const seen: string[] = [];
  system.onUevent(({ action, devpath }) => {
    if (!devpath.endsWith(one)) return;
    const names = system.sysfs.list(`/sys${devpath}`);
    const shown = ["mdev_type", "slice", "driver", "remove"].filter((name) => names.includes(name));
    seen.push([action, ...shown].join(" "));
  });
  await parent.create("full", one);
  assert.deepEqual(seen, ["add mdev_type slice", "bind mdev_type slice driver"]);
  assert.ok(system.sysfs.has(`${gpu}/${one}/remove`));
  assert.equal(await system.sysfs.read(`${gpu}/${one}/slice/state`), "state 1\n");
  assert.equal(mdev.parentOf(mdev.find(one) as Device), parent);
});

test("what a parent says of itself is checked before anything shows", async () => {
  const rig = mdevRig();
  const device = await rig.addParent("gpu0");
  const register = (parts: Partial<MdevParentInit<string>>) => () =>
    rig.mdev.registerParent(device, plainInit(rig, parts));
  const type = (name: string) => ({ types: [{ name, deviceApi: "toy-api" }] });
  for (const wrong of [
    { types: [] },
    { uses: [] },
    type(""),
    type("a/b"),
    type("a\0b"),
    type("a\nb"),
    { driverName: "" },
    { driverName: "../toy" },
    { available: { policy: "counter", instances: -1 } as const },
    { available: { policy: "counter", instances: 1.5 } as const },
    { groups: [{ attributes: [{ name: "remove" }] }] },
    { groups: [{ name: "mdev_type", attributes: [] }] },
  ]) {
    assert.throws(register(wrong), { code: "EINVAL" }, JSON.stringify(wrong));
  }
  assert.throws(register({ types: [...type("a").types, ...type("a").types] }), { code: "EEXIST" });
  assert.equal(rig.system.sysfs.has("/sys/devices/gpu0/mdev_supported_types"), false);
  assert.deepEqual(rig.system.sysfs.list("/sys/class/mdev_bus"), []);
  const parent = register(type("a b.c-d é"))();
  assert.deepEqual(rig.system.sysfs.list(types), ["toy-a b.c-d é"]);
  assert.throws(register({}), { code: "EEXIST" });
  await assert.rejects(parent.create("nothing", one), { code: "EINVAL" });
  await assert.rejects(parent.create("a b.c-d é", "nothing"), { code: "EINVAL" });
  await parent.unregister();
  assert.throws(() => rig.mdev.registerParent(new Device(rig.runtime, { name: "new" }), plainInit(rig)), {
    code: "ENODEV",
  });
  device.attributes.add({ name: "mdev_supported_types", show: () => "mine\n" });
  assert.throws(register({}), { code: "EEXIST" });
});

test("two parents of one name stand in one class, the first of them by its name", async () => {
  const rig = mdevRig();
  await rig.driver("projected");
  const outer = await rig.addParent("outer");
  const inner = new Device(rig.runtime, { name: "gpu0", parent: outer });
  await rig.system.addDevice(inner);
  const first = rig.mdev.registerParent(await rig.addParent("gpu0"), plainInit(rig));
  const second = rig.mdev.registerParent(inner, plainInit(rig));
  assert.equal(rig.system.sysfs.realpath("/sys/class/mdev_bus/gpu0"), gpu);
  await first.unregister();
  assert.equal(rig.system.sysfs.realpath("/sys/class/mdev_bus/gpu0"), "/sys/devices/outer/gpu0");
  await second.create("full", one);
  assert.equal(rig.mdev.find(one)?.devpath, `/devices/outer/gpu0/${one}`);
  await second.unregister();
});

test("two systems in one process have the same uuids and notice nothing of each other", async () => {
  const [here, there] = [await withParent(null), await withParent(null)];
  await here.parent.create("full", one);
  await there.parent.create("half", one);
  await here.mdev.remove(one);
  assert.equal(there.mdev.find(one)?.type.name, "half");
  assert.equal(here.mdev.find(one), undefined);
  for (const { parent } of [here, there]) await parent.unregister();
});

test("a system has one mdev bus, which goes when it has no parents and no drivers", async () => {
  const rig = await withParent(null);
  assert.throws(() => new MdevBus(rig.system), { code: "EEXIST" });
  await assert.rejects(rig.mdev.unregister(), { code: "EBUSY" });
  await rig.parent.unregister();
  await assert.rejects(rig.mdev.unregister(), { code: "EBUSY" });
  for (const driver of [rig.projected, rig.local]) await rig.system.unregisterDriver(driver);
  await rig.mdev.unregister();
  assert.equal(rig.system.sysfs.has("/sys/class/mdev_bus"), false);
  const next = new MdevBus(rig.system);
  assert.deepEqual(next.parents(), []);
});

test("parents of any kind: one device of its own kind each, as a subchannel has", async () => {
  const system = new System();
  const css: Bus = { name: "css", match: () => false };
  system.registerBus(css);
  const mdev = new MdevBus(system);
  const subchannel = new Device(system.runtime, { name: "0.0.0313", bus: css });
  await system.addDevice(subchannel);
  await system.registerDriver({ name: "vfio_ccw_mdev", bus: mdev.bus as Bus, probe: () => {} });
  const parent = mdev.registerParent(subchannel, {
    driverName: "vfio_ccw",
    types: [{ name: "io", deviceApi: "vfio-ccw", prettyName: "I/O subchannel (Non-QDIO)" }],
    uses: ["vfio_ccw_mdev"],
    available: { policy: "counter", instances: 1 },
    create: () => undefined,
  });
  const io = "/sys/class/mdev_bus/0.0.0313/mdev_supported_types/vfio_ccw-io";
  await system.sysfs.write(`${io}/create`, three);
  await assert.rejects(system.sysfs.write(`${io}/create`, two), { code: "EUSERS" });
  assert.equal(await system.sysfs.read(`${io}/available_instances`), "0\n");
  await parent.unregister();
});
