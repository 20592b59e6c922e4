/** What the callbacks of the channel subsystem and the mediated device work on together. */
import type { Work } from "parhelion-core";
import type { World } from "../../../program.js";
import type { VfioDevice } from "../../mdev/parts/vfio-device.js";

export type State = "not operational" | "standby" | "idle" | "processing" | "pending";

export interface Context {
  state: State;
  /** The interrupt block: one. */
  irb: string;
  /** Paths that may be used, as a mask. */
  paths: number;
  /** The translated channel program: guest pages that the device may write to, pinned until it is freed. */
  pages: object | null;
  vfio: VfioDevice | null;
  /** What the interrupt leaves to do. */
  ioWork: Work | null;
  /** What the report of a device that is gone leaves to do, where the handler must not do it itself. */
  goneWork: Work | null;
}

export function allocateContext(world: World): Context {
  return world.allocate<Context>("private", {
    state: "standby",
    irb: "",
    paths: 0xff,
    pages: null,
    vfio: null,
    ioWork: null,
    goneWork: null,
  });
}
