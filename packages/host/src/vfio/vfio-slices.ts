/** Slices that are handed to virtual machine monitors and other processes, as the PCI functions that vGPUs are. */
import type { MdevDevice } from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import { DeviceFlag, type Vfio, VfioDevice, vgpuDeviceOps } from "parhelion-vfio";
import type { HostLimits } from "../limits.js";
import type { Secrets } from "../secrets.js";
import type { SliceHolder } from "../slices/holder.js";
import type { LocalNodesOptions } from "../slices/local-nodes.js";
import type { Slice } from "../slices/slice.js";
import type { SlicePlace } from "../slices/slice-entry.js";
import type { Tenure, Tenures } from "../slices/tenures.js";
import { SliceBackend } from "./slice-backend.js";

export interface VfioSlicesOptions {
  readonly runtime: Runtime;
  readonly vfio: Vfio;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly tenures: Tenures;
  /** Where their engines' sockets are. */
  readonly directories: LocalNodesOptions["directories"];
}

export class VfioSlices {
  readonly #options: VfioSlicesOptions;

  constructor(options: VfioSlicesOptions) {
    this.#options = options;
  }

  /** @throws what making the directory and registering the VFIO device throw; nothing is left then */
  async take({ entry, adapter }: SlicePlace, device: MdevDevice<SlicePlace>): Promise<Tenure> {
    const { runtime, vfio, limits, secrets, tenures, directories } = this.#options;
    const directory = await directories.make(entry.uuid);
    const holder: SliceHolder = {
      id: entry.uuid,
      directory,
      state: "present",
      // Its user is told by the VFIO device, which goes first.
      project: () => ({ withdraw: () => undefined }),
    };
    const tenure = tenures.hand(adapter, { ...entry.record, index: 0 }, holder);
    const slice = tenure.slice as Slice;
    const vdev = new VfioDevice(vfio, {
      parent: device,
      flags: DeviceFlag.PCI,
      ops: (made) =>
        vgpuDeviceOps(
          made,
          runtime,
          `vGPU ${entry.uuid}`,
          new SliceBackend({ runtime, limits, secrets, slice }),
        ),
    });
    const end = async (why: string) => {
      await tenure.end(why);
      await directories.remove(directory);
    };
    try {
      // Last: from here on it can be opened.
      await vfio.register(vdev, { iommu: "emulated" });
    } catch (error) {
      vdev.put();
      await end("it could not be handed out");
      throw error;
    }
    runtime.log("info", "slice.vfio", { slice: entry.uuid, node: vdev.name });
    return {
      slice,
      end: async (why) => {
        await vfio.unregister(vdev);
        vdev.put();
        await end(why);
      },
    };
  }
}
