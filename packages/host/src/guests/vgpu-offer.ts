/**
 * A slice as its guest sees it: a PCI function to find it by, and a vGPU channel to use it through. Both are offered together and
 * taken back together.
 */

import { isDeepStrictEqual } from "node:util";
import {
  type HostChannel,
  pciPassthroughOffer,
  VGPU_CHANNEL,
  type VmbusHost,
  vgpuConfigModel,
} from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import { guestCommand, type Notice, type SliceMemory } from "parhelion-protocol";
import { messageOf } from "../host-error.js";
import type { Slice } from "../slices/slice.js";
import type { CommandTable } from "../vgpu/command-table.js";
import { memoryOf } from "../vgpu/slice-description.js";
import type { VgpuEnd } from "../vgpu/vgpu-commands.js";
import type { DeviceLoss, VgpuDevice } from "../vgpu/vgpu-device.js";

/** The text's field holds 4096 bytes; a UTF-16 unit takes three at most. */
const maxText = 1300;

export class VgpuOffer {
  readonly #runtime: Runtime;
  readonly #slice: Slice;
  readonly #channel: HostChannel;
  readonly #pci: HostChannel;
  /** The latest that the guest knows, or asks for when it opens the vGPU. */
  #told: SliceMemory;

  /** @throws KernelError ENODEV the guest is gone, ENOSPC it has too many channels */
  constructor(runtime: Runtime, vmbus: VmbusHost, commands: CommandTable<VgpuEnd>, end: VgpuEnd) {
    const { slice } = end;
    const identity = { slice: slice.uuid, generation: BigInt(slice.generation) };
    this.#runtime = runtime;
    this.#slice = slice;
    this.#told = memoryOf(slice);
    this.#channel = vmbus.offer({
      interfaceType: VGPU_CHANNEL,
      interfaceInstance: slice.uuid,
      identity,
      request: ({ type, process, body }) => commands.serve(end, type, process, body),
      open: () => {
        slice.listen({
          deviceLost: (device, loss) => this.#tellLost(device, loss),
          descriptionChanged: () => this.#tell(guestCommand.adapterInfoChanged, {}),
          memoryChanged: () => this.#tellMemory(),
        });
      },
      close: (reason) => {
        slice.listen(null);
        slice.destroyDevices(reason);
      },
    });
    const config = vgpuConfigModel({ channelInstance: slice.uuid, luid: slice.luid });
    this.#pci = vmbus.offer({
      ...pciPassthroughOffer(slice.pciInstance, slice.index << 3, config),
      identity,
    });
  }

  /** Waits for nothing: what the guest does about it is its own affair. */
  rescind(reason: string): void {
    this.#slice.destroyDevices(reason, "host");
    this.#pci.rescind(reason);
    this.#channel.rescind(reason);
  }

  #tellMemory(): void {
    const memory = memoryOf(this.#slice);
    if (isDeepStrictEqual(memory, this.#told)) return;
    this.#told = memory;
    const { limit, used, reserved } = memory;
    const words = { limit: BigInt(limit), used: BigInt(used), reserved: BigInt(reserved) };
    this.#tell(guestCommand.memoryChanged, words);
  }

  #tellLost(device: VgpuDevice, { reason, message }: DeviceLoss): void {
    const text = message.slice(0, maxText);
    this.#tell(guestCommand.deviceLost, { device: device.handle, reason, text }, device.process.handle);
  }

  #tell<T>(notice: Notice<T>, value: Partial<T>, process = 0): void {
    try {
      this.#channel.notify(notice, value, { process });
    } catch (error) {
      // The channel is going: whatever there was to know goes with it.
      const { uuid } = this.#slice;
      this.#runtime.log("debug", "guest.untold", {
        slice: uuid,
        notice: notice.name,
        reason: messageOf(error),
      });
    }
  }
}
