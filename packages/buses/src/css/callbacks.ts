/** How the bus calls a subchannel's driver back. */
import type { ChpEvent, ChpLink } from "./event.js";
import type { Irb } from "./layout/index.js";

export interface CssCallbacks {
  /**
   * A status was collected; `Subchannel.schib` has its SCSW. Runs under the subchannel's lock: it must not sleep, nor
   * publish or withdraw.
   */
  irq?(irb: Irb): void | Promise<void>;
  /**
   * Something happened to a channel path; `schib`, `opm` and `lpm` say so already. Runs under the subchannel's lock: it
   * must not sleep, nor publish or withdraw.
   * @returns "failed": the subchannel can't go on without that path. It loses all paths and is evaluated; OFFLINE only
   */
  chpEvent?(link: ChpLink, event: ChpEvent): "done" | "failed" | Promise<"done" | "failed">;
  /**
   * The subchannel is looked at again, because something was reported about it or it was asked for. Holds no lock;
   * whoever withdraws waits for its end, so it must not wait for that. A subchannel that is gone is unregistered by the
   * bus afterwards.
   * @returns "again": it is called again, some time later (Linux: EAGAIN)
   */
  schEvent?(): "done" | "again" | Promise<"done" | "again">;
  /** The machine stops: end what the device does. Holds no lock, as `schEvent`. */
  shutdown?(): void | Promise<void>;
}
