/**
 * How functions get from a host into a guest: one pass-through channel each. The guest's driver of that channel is the
 * function's host bridge (as Linux's pci-hyperv): it reads the configuration header and adds the function to the PCI bus; when
 * the channel goes, so does the function. The host's end answers out of a ConfigModel.
 */
import { type Bus, KernelError, noDeadline, type System } from "parhelion-core";
import { ControlError, type PciQueryFunctionReply, pciCommand } from "parhelion-protocol";
import type { VmbusChannel } from "../vmbus/channel.js";
import type { VmbusDevice, VmbusDriver } from "../vmbus/device.js";
import type { HostChannelInit } from "../vmbus/host-channel.js";
import { ChannelType, type Command } from "../vmbus/packet.js";
import { PCI_CHANNEL } from "../vmbus/types.js";
import type { ConfigModel } from "./config-model.js";
import { ConfigSpace } from "./config-space.js";
import { PciDevice, type PciDriver, type PciIdentity } from "./device.js";
import { pciHeader } from "./layout.js";

/** The guest's driver of pass-through channels. @param pci a registered bus */
export function createPciPassthroughDriver(
  system: System,
  vmbus: Bus<VmbusDevice, VmbusDriver>,
  pci: Bus<PciDevice, PciDriver>,
): VmbusDriver<PciDevice> {
  return {
    name: "pci-passthrough",
    bus: vmbus as Bus,
    ids: [{ type: PCI_CHANNEL }],
    async probe(device) {
      const { channel } = device;
      await channel.open({ channelType: ChannelType.VGPU_TO_HOST });
      device.devres.addAction(() => channel.close(), "channel");
      const { slot } = await channel.request(pciCommand.queryFunction, {});
      const config = configOver(channel);
      const identity = await readIdentity(config);
      const domain = system.runtime.ids.next("pci domain");
      const pciDevice = new PciDevice(system.runtime, pci as Bus, {
        domain,
        slot,
        identity,
        config,
        parent: device,
      });
      await system.addDevice(pciDevice);
      return pciDevice;
    },
    async remove(_device, pciDevice) {
      // Whoever unbinds has a deadline; a function that stays behind has no owner.
      await system.unregisterDevice(pciDevice, { deadline: noDeadline });
    },
  };
}

function configOver(channel: VmbusChannel): ConfigSpace {
  return new ConfigSpace({
    async read(offset, length) {
      const { data } = await channel.request(pciCommand.configRead, { offset, length });
      if (data.length === length) return data;
      throw new KernelError(
        "EIO",
        `the host answered ${data.length} bytes where ${length} were read at ${offset}`,
      );
    },
    async write(offset, data) {
      await channel.request(pciCommand.configWrite, { offset, data });
    },
  });
}

async function readIdentity(config: ConfigSpace): Promise<PciIdentity> {
  return {
    vendorId: await config.read(pciHeader.vendorId),
    deviceId: await config.read(pciHeader.deviceId),
    subsystemVendorId: await config.read(pciHeader.subsystemVendorId),
    subsystemId: await config.read(pciHeader.subsystemId),
    classCode: await config.read(pciHeader.classCode),
  };
}

/** What the host offers for one function. @param instance of the channel, not of the function's own channels */
export function pciPassthroughOffer(instance: string, slot: number, model: ConfigModel): HostChannelInit {
  const identity: PciQueryFunctionReply = { slot, configBytes: model.bytes };
  return {
    interfaceType: PCI_CHANNEL,
    interfaceInstance: instance,
    request({ type, body }: Command): Uint8Array {
      switch (type) {
        case pciCommand.queryFunction.type:
          return pciCommand.queryFunction.reply.encode(identity);
        case pciCommand.configRead.type: {
          const { offset, length } = pciCommand.configRead.request.decode(body);
          return pciCommand.configRead.reply.encode({ data: model.read(offset, length) });
        }
        case pciCommand.configWrite.type: {
          const { offset, data } = pciCommand.configWrite.request.decode(body);
          model.write(offset, data);
          return pciCommand.configWrite.reply.encode({});
        }
        default:
          throw new ControlError(25, `PCI command ${type} is not supported`);
      }
    },
  };
}
