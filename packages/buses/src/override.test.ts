/** Which driver may have a device of either bus, where somebody has said so by hand. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bus, Device, Driver, System } from "parhelion-core";
import { ConfigModel, createPciPassthroughDriver, pciHeader, pciPassthroughOffer } from "./index.js";
import { createRig, linked, until } from "./rig.test.fixture.js";

const offer = pciPassthroughOffer(
  "99999999-0000-0000-0000-000000000001",
  0,
  new ConfigModel(256).readable(pciHeader.vendorId, () => 0x8086),
);

/** Matches nothing by its ids. */
function stranger(bus: Bus): Driver & { readonly ids: readonly [] } {
  return { name: "stranger", bus, ids: [], probe() {} };
}

/** On an unbound device whose bus has the stranger registered. */
async function handOver(system: System, device: Device, bus: Bus): Promise<void> {
  const override = `/sys${device.devpath}/driver_override`;
  assert.equal(await system.sysfs.read(override), "(null)\n");
  await system.driversProbe(bus, device.name);
  assert.equal(device.driver?.name, undefined, "the stranger's ids do not match");
  await system.sysfs.write(override, "stranger\n");
  await system.driversProbe(bus, device.name);
  assert.equal(device.driver?.name, "stranger", "its name does");
}

test("a channel whose override names a driver goes to that one alone, whatever its ids", async (t) => {
  const { system, vmbus, pci } = await linked(t, (host) => host.offer(offer));
  const bus = vmbus as Bus;
  await until(() => system.devicesOf(bus).length === 1, "the channel's device");
  const [device] = system.devicesOf(bus);
  assert.ok(device);
  await system.registerDriver(stranger(bus));
  await handOver(system, device, bus);
  await system.detach(device);
  const passthrough = createPciPassthroughDriver(system, vmbus, pci);
  await system.registerDriver(passthrough);
  assert.equal(device.driver, null, "the driver that its ids are for may not have it");
  await assert.rejects(system.bind(passthrough, device.name), { code: "ENODEV" });
  await device.setDriverOverride("");
  await system.bind(passthrough, device.name);
  assert.equal(device.driver, passthrough);
});

test("so does a PCI function", async (t) => {
  const rig = createRig();
  const { system, vmbus } = rig;
  const bus = rig.pci as Bus;
  await system.registerDriver(createPciPassthroughDriver(system, vmbus, rig.pci));
  await linked(t, (host) => host.offer(offer), rig);
  await until(() => system.devicesOf(bus).length === 1, "the function");
  const [device] = system.devicesOf(bus);
  assert.ok(device);
  await system.registerDriver(stranger(bus));
  await handOver(system, device, bus);
});
