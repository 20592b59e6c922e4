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
import type { Notice } from "parhelion-protocol";
import { messageOf } from "../host-error.js";
import type { Slice } from "../slices/slice.js";
import type { CommandTable } from "../vgpu/command-table.js";
import type { VgpuEnd } from "../vgpu/vgpu-commands.js";
import { SliceNotices } from "./slice-notices.js";

export class VgpuOffer {
  readonly #runtime: Runtime;
  readonly #slice: Slice;
  readonly #channel: HostChannel;
  readonly #pci: HostChannel;

  /** @throws KernelError ENODEV the guest is gone, ENOSPC it has too many channels */
  constructor(runtime: Runtime, vmbus: VmbusHost, commands: CommandTable<VgpuEnd>, end: VgpuEnd) {
    const { slice } = end;
    const identity = { slice: slice.uuid, generation: BigInt(slice.generation) };
    this.#runtime = runtime;
    this.#slice = slice;
    const notices = new SliceNotices(slice, (notice, value, process) => this.#tell(notice, value, process));
    this.#channel = vmbus.offer({
      interfaceType: VGPU_CHANNEL,
      interfaceInstance: slice.uuid,
      identity,
      request: ({ type, process, body }) => commands.serve(end, type, process, body),
      open: () => slice.listen(notices),
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

  #tell<T>(notice: Notice<T>, value: Partial<T>, process: number): void {
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
