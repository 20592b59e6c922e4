/**
 * The dxg driver. It binds to a vGPU's PCI function when the vGPU's channel and the guest's global channel are bound, in
 * whatever order the three arrive: until then its probe says EPROBE_DEFER, before it has done anything.
 *
 *     PCI function ─ channelInstance (the whole GUID) ─▶ vmbus device of that name
 *          └─ its connection's root ─▶ the global channel among the root's devices
 *
 * When one of the two channels goes, its driver unbinds the function first and has it probed again: it then waits like a function
 * that has just come. All of a vGPU's state is what its probe made; nothing here knows how many there are.
 */

import {
  ChannelType,
  GLOBAL_CHANNEL,
  type PciDevice,
  type PciDriver,
  VGPU_CHANNEL,
  VGPU_IDS,
  type VmbusDevice,
  type VmbusDriver,
  vgpuRegisters,
} from "parhelion-buses";
import { type Bus, type Device, type Driver, KernelError, noDeadline, type System } from "parhelion-core";
import { type GuestMemoryChanged, vgpuCommand } from "parhelion-protocol";
import { addVgpuNode } from "./node.js";
import type { NodeNumbers } from "./node-numbers.js";
import type { Queues } from "./queues.js";
import { createSupplierDriver, type Supplier, Suppliers } from "./supplier.js";
import { Vgpu } from "./vgpu.js";

export interface DxgInit {
  readonly system: System;
  readonly vmbus: Bus<VmbusDevice, VmbusDriver>;
  readonly pci: Bus<PciDevice, PciDriver>;
  readonly queues: Queues;
  /** What applications read synchronously has changed. */
  readonly changed: () => void;
  readonly numbers: NodeNumbers;
}

/** What the driver says it can do, in the function's guestCapabilities and in openAdapter. Nothing optional yet. */
const guestCapabilities = 0;
const guestFeatures = 0n;

interface Supplied {
  readonly vgpu: Supplier;
  readonly global: Supplier;
  readonly instance: string;
}

/** Registers the driver's three parts. */
export async function registerDxg(init: DxgInit): Promise<void> {
  const { system, vmbus } = init;
  const suppliers = new Suppliers(system.runtime);
  const pciDriver = createFunctionDriver(init, suppliers) as Driver;
  const channels = [
    { name: "dxg-global", interfaceType: GLOBAL_CHANNEL, channelType: ChannelType.VM_TO_HOST },
    { name: "dxg-vgpu", interfaceType: VGPU_CHANNEL, channelType: ChannelType.VGPU_TO_HOST },
  ];
  for (const channel of channels) {
    const driver = createSupplierDriver(system, vmbus, channel, suppliers, () => pciDriver);
    await system.registerDriver(driver as Driver);
  }
  await system.registerDriver(pciDriver);
}

function createFunctionDriver(init: DxgInit, suppliers: Suppliers): PciDriver<Device> {
  const { system, pci } = init;
  return {
    name: "dxg",
    bus: pci as Bus,
    ids: [{ vendorId: VGPU_IDS.vendorId, deviceId: VGPU_IDS.deviceId }],
    async probe(device) {
      const supplied = await findSuppliers(device, suppliers);
      try {
        return await bindFunction(init, device, supplied);
      } catch (error) {
        const { vgpu, global } = supplied;
        if (vgpu.channel.state === "open" && global.channel.state === "open") throw error;
        // It went meanwhile. What comes in its place will be told to those who wait.
        throw new KernelError("EPROBE_DEFER", `${device.name} lost a channel during its probe`, {
          cause: error,
        });
      }
    },
    async remove(_device, node) {
      // Whoever unbinds has a deadline; a node that stays behind has no owner.
      await system.unregisterDevice(node, { deadline: noDeadline });
    },
  };
}

async function bindFunction(
  { system, queues, changed, numbers }: DxgInit,
  device: PciDevice,
  { vgpu: supplier, global, instance }: Supplied,
): Promise<Device> {
  await device.config.write(vgpuRegisters.guestCapabilities, guestCapabilities);
  const luid = await device.config.read(vgpuRegisters.luid);
  const { channel } = supplier;
  const { adapter } = await channel.request(vgpuCommand.openAdapter, { features: guestFeatures });
  device.devres.addAction(() => closeAdapter(system, supplier, adapter), "adapter");
  const { runtime } = system;
  const said: { node: Device | null } = { node: null };
  const memoryChanged = ({ limit, used, reserved }: GuestMemoryChanged): void => {
    if (said.node === null) return;
    const bytes = [
      ["MEMORY_LIMIT", `${limit}`],
      ["MEMORY_USED", `${used}`],
      ["MEMORY_RESERVED", `${reserved}`],
    ] as const;
    system.announceChange(said.node, bytes);
  };
  const vgpu = new Vgpu({
    ...{ runtime, channel, instance, luid, queues, changed, memoryChanged },
    global: global.channel,
  });
  supplier.listen((command) => vgpu.onCommand(command));
  device.devres.addAction(() => supplier.listen(null), "listener");
  await vgpu.refresh();
  said.node = await addVgpuNode(system, vgpu, device, numbers);
  return said.node;
}

/** @throws KernelError EPROBE_DEFER one of them is not there yet */
async function findSuppliers(device: PciDevice, suppliers: Suppliers): Promise<Supplied> {
  const root = device.parent?.parent ?? null;
  const instance = await device.config.read(vgpuRegisters.channelInstance);
  const vgpu = suppliers.find(root, VGPU_CHANNEL, instance);
  const global = suppliers.find(root, GLOBAL_CHANNEL);
  if (vgpu === null || global === null) {
    const missing = vgpu === null ? `channel ${instance}` : "the global channel";
    throw new KernelError("EPROBE_DEFER", `${device.name} waits for ${missing}`);
  }
  // In the step that looked: a channel that begins to go from here on finds this function among its consumers.
  for (const supplier of [vgpu, global]) device.devres.addAction(supplier.supply(device), "consumer");
  return { vgpu, global, instance };
}

async function closeAdapter(system: System, { channel }: Supplier, adapter: number): Promise<void> {
  try {
    await channel.request(vgpuCommand.closeAdapter, { adapter });
  } catch (error) {
    // After a rescind there is nobody to tell.
    system.runtime.log("debug", "dxg.close-untold", { channel: channel.name, error });
  }
}
