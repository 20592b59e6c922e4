/** What a driver says of its interrupts, and the numbers of the user interface (include/uapi/linux/vfio.h). */
import type { Eventfd } from "./eventfd.js";

/** One kind of interrupt. */
export interface VfioIrq {
  /** How many there are of it; 0: none at this moment, though the index is known. */
  readonly count: number;
  /** Default true. */
  readonly eventfd?: boolean;
  /** It can be masked by the user. */
  readonly maskable?: boolean;
  /** Each trigger masks it until the user unmasks it (a level-triggered line). Means `maskable`. */
  readonly automasked?: boolean;
  /** How many are in use can't grow without tearing all of them down first. */
  readonly noresize?: boolean;
  /**
   * It is not the device that tells the user something, but who offers it: an error, a request to let go. So it comes while the
   * device stands still as well.
   */
  readonly notice?: boolean;
}

export const IrqFlag = { EVENTFD: 1, MASKABLE: 2, AUTOMASKED: 4, NORESIZE: 8 } as const;
export const IrqSetFlag = {
  DATA_NONE: 1,
  DATA_BOOL: 2,
  DATA_EVENTFD: 4,
  ACTION_MASK: 8,
  ACTION_UNMASK: 0x10,
  ACTION_TRIGGER: 0x20,
} as const;

/** The interrupts of a PCI device, by index. */
export const PciIrq = { INTX: 0, MSI: 1, MSIX: 2, ERR: 3, REQ: 4 } as const;

/** The argument of SET_IRQS. */
export interface IrqSet {
  readonly argsz: number;
  /** One of DATA_… and one of ACTION_…. */
  readonly flags: number;
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /**
   * With DATA_BOOL: a byte each. With DATA_EVENTFD: an eventfd each, null (-1 in Linux) to take one back; the device signals those
   * of ACTION_TRIGGER, and listens to those that mask and unmask. When the call succeeds the eventfds belong to the device, which
   * releases each once; when it fails they stay the caller's.
   */
  readonly data?: Uint8Array | readonly (Eventfd | null)[];
}

/** A valid change, as the driver is told of it. */
export interface IrqChange {
  readonly index: number;
  readonly start: number;
  readonly count: number;
  /**
   * "fire": by hand. "enable": triggers are given, or taken back. "disable": all of the index are torn down. "mask-by", "unmask-by":
   * eventfds that do so are given, or taken back; what they do from then on the driver is not told.
   */
  readonly action: "mask" | "unmask" | "fire" | "enable" | "disable" | "mask-by" | "unmask-by";
}
