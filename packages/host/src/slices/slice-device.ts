/**
 * A slice in the host's device tree. While the `projected` driver is bound to it its guest sees a vGPU; unbinding takes the vGPU
 * away. The slice itself, with its UUID, outlives both.
 */
import { type Bus, Device, type Driver, type Runtime } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import type { Slice } from "./slice.js";

export const mdevBus: Bus<SliceDevice> = { name: "mdev", match: () => true };

/** One slice shown to one guest. */
export interface Projection {
  /** Rescinds the vGPU. Waits for nothing, least of all for the guest. */
  withdraw(): void;
}

/** Whoever slices are projected to. */
export interface Audience {
  project(slice: Slice): Projection;
}

export class SliceDevice extends Device {
  readonly slice: Slice;
  readonly audience: Audience;

  constructor(runtime: Runtime, adapter: AdapterDevice, slice: Slice, audience: Audience) {
    super(runtime, {
      name: slice.uuid,
      parent: adapter,
      bus: mdevBus as Bus,
      attributes: [
        { name: "mdev_type", show: () => `${slice.descriptor.type}\n` },
        { name: "generation", show: () => `${slice.generation}\n` },
        { name: "engine", show: () => `${slice.engine.status.state}\n` },
      ],
    });
    this.slice = slice;
    this.audience = audience;
  }
}

export const projectedDriver: Driver<SliceDevice, Projection> = {
  name: "projected",
  bus: mdevBus as Bus,
  probe: ({ slice, audience }) => audience.project(slice),
  remove: (_device, projection) => projection.withdraw(),
};
