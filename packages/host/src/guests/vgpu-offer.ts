/**
 * A slice as its guest sees it: a PCI function to find it by, and a vGPU channel to use it through. Both are offered together and
 * taken back together.
 */

import {
  type HostChannel,
  pciPassthroughOffer,
  VGPU_CHANNEL,
  type VmbusHost,
  vgpuConfigModel,
} from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import { guestCommand } from "parhelion-protocol";
import { messageOf } from "../host-error.js";
import type { Slice } from "../slices/slice.js";
import type { CommandTable } from "../vgpu/command-table.js";
import type { VgpuEnd } from "../vgpu/vgpu-commands.js";
import type { DeviceLoss, VgpuDevice } from "../vgpu/vgpu-device.js";

export class VgpuOffer {
  readonly #runtime: Runtime;
  readonly #slice: Slice;
  readonly #channel: HostChannel;
  readonly #pci: HostChannel;

  /** @throws KernelError ENODEV the guest is gone, ENOSPC it has too many channels */
  constructor(runtime: Runtime, vmbus: VmbusHost, commands: CommandTable<VgpuEnd>, end: VgpuEnd) {
    const { slice } = end;
    this.#runtime = runtime;
    this.#slice = slice;
    this.#channel = vmbus.offer({
      interfaceType: VGPU_CHANNEL,
      interfaceInstance: slice.uuid,
      request: ({ type, process, body }) => commands.serve(end, type, process, body),
      open: () => {
        slice.deviceLost = (device, loss) => this.#tell(device, loss);
      },
      close: (reason) => {
        slice.deviceLost = () => undefined;
        slice.destroyDevices(reason);
      },
    });
    const config = vgpuConfigModel({ channelInstance: slice.uuid, luid: slice.luid });
    this.#pci = vmbus.offer(pciPassthroughOffer(slice.pciInstance, slice.index << 3, config));
  }

  /** Waits for nothing: what the guest does about it is its own affair. */
  rescind(reason: string): void {
    this.#pci.rescind(reason);
    this.#channel.rescind(reason);
  }

  #tell(device: VgpuDevice, { reason, message }: DeviceLoss): void {
    // While it is being created the answer to the creation says it.
    if (device.handle === 0) return;
    try {
      this.#channel.notify(
        guestCommand.deviceLost,
        { device: device.handle, reason, text: message.slice(0, 1300) },
        { process: device.process.handle },
      );
    } catch (error) {
      // The channel is going: the guest loses the device with it.
      this.#runtime.log("debug", "device.lost-untold", { slice: this.#slice.uuid, reason: messageOf(error) });
    }
  }
}
