/** The contract of drivers of subchannels. */
import type { Driver } from "parhelion-core";
import type { CssCallbacks } from "./callbacks.js";
import type { ChpEvent, ChpLink } from "./event.js";
import type { Irb } from "./layout/index.js";
import type { Subchannel } from "./subchannel.js";

/**
 * `irq`, `chpEvent`, `schEvent` and `shutdown` are as in `CssCallbacks`, with what probe returned; they are called only
 * between publication and withdrawal. Removal is `quiesce`, withdrawal, `remove`.
 */
export interface CssDriver<S = unknown> extends Driver<Subchannel, S> {
  /** Default: I/O. */
  readonly subchannelType?: number;
  /** What needs the callbacks while the device is given back: waiting for interruptions, for example. */
  quiesce?(subchannel: Subchannel, state: S): void | Promise<void>;
  irq?(subchannel: Subchannel, state: S, irb: Irb): void | Promise<void>;
  chpEvent?(
    subchannel: Subchannel,
    state: S,
    link: ChpLink,
    event: ChpEvent,
  ): "done" | "failed" | Promise<"done" | "failed">;
  schEvent?(subchannel: Subchannel, state: S): "done" | "again" | Promise<"done" | "again">;
  shutdown?(subchannel: Subchannel, state: S): void | Promise<void>;
}

export function callbacksOf<S>(driver: CssDriver<S>, subchannel: Subchannel, state: S): CssCallbacks {
  return {
    irq: (irb) => driver.irq?.(subchannel, state, irb),
    chpEvent: (link, event) => driver.chpEvent?.(subchannel, state, link, event) ?? "done",
    schEvent: () => driver.schEvent?.(subchannel, state) ?? "done",
    shutdown: () => driver.shutdown?.(subchannel, state),
  };
}
