import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus } from "../bus.js";
import { miscClass } from "../class.js";
import { Device } from "../device.js";
import type { Driver } from "../driver.js";
import { toyBus, traced } from "../model.test.fixture.js";
import { DeviceNode } from "../node.js";

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
