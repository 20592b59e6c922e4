import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "../bus.js";
import { miscClass } from "../class.js";
import { systemClock } from "../clock.js";
import { Device } from "../device.js";
import type { Driver } from "../driver.js";
import { toyBus, traced } from "../model.test.fixture.js";
import { DeviceNode } from "../node.js";
import { createRuntime } from "../runtime.js";
import { Completion } from "../sync/completion.js";
import { DirectScheduler } from "../sync/direct-scheduler.js";

const pciBus: Bus<Device, Driver> = {
  ...toyBus,
  name: "pci",
  uevent: ({ name }) => [["MODALIAS", `pci:${name}`]],
  attributes: [{ name: "rescan", store: () => {} }],
};

/** A bus with a driver, two devices of which it drives one, and a misc device under that. */
async function small() {
  const made = traced();
  const { system } = made;
  system.registerBus(pciBus);
  system.registerClass(miscClass);
  await system.registerDriver(made.driver("gpu", { bus: pciBus }));
  const gpu = new Device(system.runtime, {
    name: "gpu0",
    bus: pciBus,
    attributes: [{ name: "vendor", show: () => "0x1414\n" }],
    groups: [{ name: "limits", attributes: [{ name: "bytes", show: () => "1\n", store: () => {} }] }],
  });
  const other = new Device(system.runtime, { name: "nic0", bus: pciBus });
  const node = new DeviceNode(system.runtime, { name: "gpu0", open: () => ({ request: () => null }) });
  const misc = new Device(system.runtime, { name: "gpu0", parent: gpu, class: miscClass, node });
  const virtual = new Device(system.runtime, { name: "zero", class: miscClass });
  for (const device of [gpu, other, misc, virtual]) await system.addDevice(device);
  return { ...made, gpu, other, misc, virtual };
}

test("the tree is laid out as Linux lays it out", async () => {
  const { system } = await small();
  const shown = [...system.sysfs.walk("/sys")].map(({ path, kind, mode }) => {
    if (kind === "link") return `${path} -> ${system.sysfs.readlink(path)}`;
    return kind === "directory" ? `${path}/` : `${path} 0${mode.toString(8)}`;
  });
  for (const line of [
    "/sys/bus/pci/devices/gpu0 -> ../../../devices/gpu0",
    "/sys/bus/pci/drivers/gpu/",
    "/sys/bus/pci/drivers/gpu/uevent 0200",
    "/sys/bus/pci/rescan 0200",
    "/sys/bus/pci/uevent 0200",
    "/sys/class/misc/gpu0 -> ../../devices/gpu0/misc/gpu0",
    "/sys/class/misc/zero -> ../../devices/virtual/misc/zero",
    "/sys/dev/block/",
    "/sys/dev/char/10:256 -> ../../devices/gpu0/misc/gpu0",
    "/sys/devices/gpu0/",
    "/sys/devices/gpu0/driver -> ../../bus/pci/drivers/gpu",
    "/sys/devices/gpu0/limits/",
    "/sys/devices/gpu0/limits/bytes 0644",
    "/sys/devices/gpu0/misc/",
    "/sys/devices/gpu0/misc/gpu0/dev 0444",
    "/sys/devices/gpu0/misc/gpu0/device -> ../../../gpu0",
    "/sys/devices/gpu0/misc/gpu0/subsystem -> ../../../../class/misc",
    "/sys/devices/gpu0/modalias 0444",
    "/sys/devices/gpu0/subsystem -> ../../bus/pci",
    "/sys/devices/gpu0/uevent 0644",
    "/sys/devices/gpu0/vendor 0444",
    "/sys/devices/nic0/uevent 0644",
    "/sys/devices/virtual/misc/zero/",
  ]) {
    assert.ok(shown.includes(line), `${line} in\n${shown.join("\n")}`);
  }
  assert.ok(!shown.some((line) => line.startsWith("/sys/devices/nic0/driver")), "it has no driver");
});

test("paths follow links on the way and relative ones lead where they should", async () => {
  const { system } = await small();
  const { sysfs } = system;
  assert.deepEqual(sysfs.list("/sys"), ["bus", "class", "dev", "devices"]);
  assert.equal(await sysfs.read("/sys/class/misc/gpu0/dev"), "10:256\n");
  assert.equal(await sysfs.read("/sys/dev/char/10:256/device/vendor"), "0x1414\n");
  assert.equal(await sysfs.read("/sys/bus/pci/devices/gpu0/driver/gpu0/../gpu0/vendor"), "0x1414\n");
  assert.equal(
    await sysfs.read("/sys/../sys/./bus//pci/devices/gpu0/vendor").catch(({ code }) => code),
    "ENOENT",
  );
  assert.equal(await sysfs.read("/sys/./bus//pci/devices/gpu0/vendor"), "0x1414\n");
  assert.equal(sysfs.realpath("/sys/class/misc/gpu0/subsystem/gpu0/.."), "/sys/devices/gpu0/misc");
  for (const { path, kind } of sysfs.walk("/sys")) {
    if (kind !== "link") continue;
    const directory = sysfs.realpath(path.slice(0, path.lastIndexOf("/")));
    assert.equal(sysfs.realpath(`${directory}/${sysfs.readlink(path)}`), sysfs.realpath(path), path);
  }
});

test("every wrong path and use has its own error", async () => {
  const { system } = await small();
  const { sysfs } = system;
  const code = (code: string) => ({ code });
  assert.throws(() => sysfs.list("/sys/bus/isa"), code("ENOENT"));
  assert.throws(() => sysfs.list("/proc"), code("ENOENT"));
  assert.throws(() => sysfs.list("sys"), code("ENOENT"));
  assert.throws(() => sysfs.list("/sys/devices/gpu0/vendor"), code("ENOTDIR"));
  assert.throws(() => sysfs.stat("/sys/devices/gpu0/vendor/x"), code("ENOTDIR"));
  assert.throws(() => sysfs.readlink("/sys/devices/gpu0"), code("EINVAL"));
  assert.throws(() => sysfs.stat(`/sys/${"x".repeat(5000)}`), code("ENAMETOOLONG"));
  assert.throws(() => sysfs.stat(`/sys/class/misc${"/gpu0/subsystem".repeat(21)}`), code("ELOOP"));
  assert.deepEqual(sysfs.stat(`/sys/class/misc${"/gpu0/subsystem".repeat(20)}`), {
    kind: "link",
    mode: 0o777,
  });
  await assert.rejects(sysfs.read("/sys/devices/gpu0"), code("EISDIR"));
  await assert.rejects(sysfs.write("/sys/class/misc/gpu0", ""), code("EISDIR"));
  await assert.rejects(sysfs.write("/sys/devices/gpu0/vendor", "1"), code("EACCES"));
  await assert.rejects(sysfs.read("/sys/bus/pci/rescan"), code("EACCES"));
  await assert.rejects(sysfs.write("/sys/devices/gpu0/limits/bytes", "x".repeat(4096)), code("EINVAL"));
  await assert.rejects(sysfs.read("/sys/devices/gpu0/__proto__"), code("ENOENT"));
  assert.equal(sysfs.has("/sys/devices/virtual/constructor"), false);
});

test("what is removed leaves the tree, and what it stood in when that is empty", async () => {
  const { system, gpu, misc, virtual } = await small();
  const { sysfs } = system;
  await system.removeDevice(misc);
  assert.equal(sysfs.has("/sys/devices/gpu0/misc"), false);
  assert.deepEqual(sysfs.list("/sys/dev/char"), []);
  assert.deepEqual(sysfs.list("/sys/class/misc"), ["zero"]);
  await system.removeDevice(virtual);
  assert.deepEqual(sysfs.list("/sys/devices/virtual"), []);
  await system.removeDevice(gpu);
  assert.equal(sysfs.has("/sys/devices/gpu0"), false);
  assert.deepEqual(sysfs.list("/sys/bus/pci/devices"), ["nic0"]);
  assert.deepEqual(sysfs.list("/sys/bus/pci/drivers/gpu").toSorted(), ["bind", "uevent", "unbind"]);
});

test("a device is in the tree while it is being probed", async () => {
  const made = traced();
  const { system } = made;
  system.registerClass(miscClass);
  const go = new Completion(system.runtime, "go");
  await system.registerDriver(made.driver("d", { probe: () => go.wait() }));
  const dev = new Device(system.runtime, { name: "d0", bus: toyBus, class: miscClass });
  const adding = system.addDevice(dev);
  assert.deepEqual(system.sysfs.list("/sys/devices/virtual/misc"), ["d0"]);
  assert.equal(await system.sysfs.read("/sys/class/misc/d0/uevent"), "");
  go.complete();
  await adding;
});

test("the cost of a look does not grow with the devices elsewhere", async () => {
  let accesses = 0;
  const clock = systemClock;
  class Counting extends DirectScheduler {
    override access(): void {
      accesses += 1;
    }
  }
  const scheduler = new Counting(clock, (_task, error) => assert.fail(String(error)));
  const { system } = traced(createRuntime({ scheduler, clock }));
  const looks = async (): Promise<number> => {
    const before = accesses;
    const path = "/sys/bus/toy/devices/parent/child/uevent";
    assert.equal(system.sysfs.stat("/sys/devices/parent/child").kind, "directory");
    await system.sysfs.read(path);
    assert.ok(system.sysfs.list("/sys/devices/parent/child").length > 0);
    assert.equal(
      [...system.sysfs.walk("/sys/devices/parent")].at(-1)?.path.startsWith("/sys/devices/parent/"),
      true,
    );
    return accesses - before;
  };
  const parent = new Device(system.runtime, { name: "parent", bus: toyBus });
  await system.addDevice(parent);
  await system.addDevice(new Device(system.runtime, { name: "child", bus: toyBus, parent }));
  const few = await looks();
  for (let i = 0; i < 2000; i += 1) {
    await system.addDevice(new Device(system.runtime, { name: `d${i}`, bus: toyBus }));
  }
  assert.equal(await looks(), few);
  assert.equal(system.sysfs.list("/sys/devices").length, 2002);
  assert.equal(system.sysfs.list("/sys/bus/toy/devices").length, 2002);
});
