/** What a host has for slices that are handed to virtual machine monitors: VFIO's nodes, the slices in use so, and their sockets. */
import type { MdevBus } from "parhelion-buses";
import { Vfio } from "parhelion-vfio";
import type { HostLimits } from "../limits.js";
import type { Secrets } from "../secrets.js";
import type { LocalNodesOptions } from "../slices/local-nodes.js";
import type { Tenures } from "../slices/tenures.js";
import { VfioServing } from "./vfio-serving.js";
import { VfioSlices } from "./vfio-slices.js";

export interface VfioWish {
  /** How long a user of a slice that is taken away may take to let go, in ms; then it is cut off. */
  readonly revokeMs: number;
  /** Where the sockets of the slices' engines are. */
  readonly directories: LocalNodesOptions["directories"];
}

export interface VfioHouse {
  readonly slices: VfioSlices;
  readonly serving: VfioServing;
  /** Precondition: no slice is used so any more. */
  close(): Promise<void>;
}

export interface VfioHouseInit extends VfioWish {
  readonly mdev: MdevBus;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly tenures: Tenures;
}

export async function openVfio(init: VfioHouseInit): Promise<VfioHouse> {
  const { mdev, revokeMs, limits, secrets, tenures, directories } = init;
  const { system } = mdev;
  const { runtime } = system;
  const vfio = await Vfio.create(system, { revokeMs });
  const slices = new VfioSlices({ runtime, vfio, limits, secrets, tenures, directories });
  return { slices, serving: new VfioServing(mdev), close: () => vfio.close() };
}
