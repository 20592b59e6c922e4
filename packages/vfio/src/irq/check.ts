/** What SET_IRQS accepts (vfio_set_irqs_validate_and_prepare), turned into what is to be done. */
import { KernelError } from "parhelion-core";
import type { Eventfd } from "./eventfd.js";
import { type IrqChange, type IrqSet, IrqSetFlag, type VfioIrq } from "./irq.js";

export interface ValidIrqSet extends IrqChange {
  /** Which of the range are meant, for "mask", "unmask" and "fire". */
  readonly which: readonly boolean[];
  /** For "enable", "mask-by" and "unmask-by". */
  readonly eventfds: readonly (Eventfd | null)[];
}

const dataFlags = IrqSetFlag.DATA_NONE | IrqSetFlag.DATA_BOOL | IrqSetFlag.DATA_EVENTFD;
const actionFlags = IrqSetFlag.ACTION_MASK | IrqSetFlag.ACTION_UNMASK | IrqSetFlag.ACTION_TRIGGER;
/** struct vfio_irq_set without data. */
const headerBytes = 20;

/** @throws KernelError EINVAL what makes no sense, or an eventfd that can't be listened to */
export function checkIrqSet(set: IrqSet, irqs: readonly VfioIrq[]): ValidIrqSet {
  const { argsz, flags, index, start, count } = set;
  const irq = irqs[index];
  const data = flags & dataFlags;
  const action = flags & actionFlags;
  if (argsz < headerBytes) throw refused(`argsz ${argsz} is less than ${headerBytes}`);
  if (irq === undefined) throw refused(`index ${index} of ${irqs.length}`);
  if ((flags & ~(dataFlags | actionFlags)) !== 0 || !isOne(data) || !isOne(action)) {
    throw refused(`flags 0x${flags.toString(16)}: one of DATA_… and one of ACTION_…`);
  }
  if (start >= irq.count || start + count > irq.count) {
    throw refused(`${count} from ${start} of the ${irq.count} of index ${index}`);
  }
  if (count === 0) {
    if (data !== IrqSetFlag.DATA_NONE || action !== IrqSetFlag.ACTION_TRIGGER)
      throw refused("count 0 tears down: DATA_NONE, ACTION_TRIGGER");
    if (start !== 0) throw refused("count 0 tears all down: start is 0");
    return { index, start, count, action: "disable", which: [], eventfds: [] };
  }
  if (action !== IrqSetFlag.ACTION_TRIGGER && irq.maskable !== true && irq.automasked !== true) {
    throw refused(`index ${index} can't be masked`);
  }
  const bytes = data === IrqSetFlag.DATA_NONE ? 0 : data === IrqSetFlag.DATA_BOOL ? count : count * 4;
  if (argsz - headerBytes < bytes) throw refused(`argsz ${argsz} has no room for ${bytes} bytes of data`);
  const range = { index, start, count };
  if (data === IrqSetFlag.DATA_EVENTFD) {
    if (irq.eventfd === false) throw refused(`index ${index} takes no eventfd`);
    const eventfds = eventfdsOf(set);
    if (action === IrqSetFlag.ACTION_TRIGGER) return { ...range, action: "enable", which: [], eventfds };
    for (const eventfd of eventfds)
      if (eventfd !== null && eventfd.listen === undefined)
        throw refused(`index ${index} can't listen to what it was given`);
    return { ...range, action: `${nameOf(action) as "mask" | "unmask"}-by`, which: [], eventfds };
  }
  const which = data === IrqSetFlag.DATA_NONE ? new Array<boolean>(count).fill(true) : boolsOf(set);
  return { ...range, action: nameOf(action), which, eventfds: [] };
}

function eventfdsOf({ data, count }: IrqSet): readonly (Eventfd | null)[] {
  if (data instanceof Uint8Array || data?.length !== count)
    throw refused(`DATA_EVENTFD needs ${count} eventfds`);
  return data;
}

function boolsOf({ data, count }: IrqSet): readonly boolean[] {
  if (!(data instanceof Uint8Array) || data.length < count) throw refused(`DATA_BOOL needs ${count} bytes`);
  return [...data.subarray(0, count)].map((byte) => byte !== 0);
}

function nameOf(action: number): "mask" | "unmask" | "fire" {
  if (action === IrqSetFlag.ACTION_MASK) return "mask";
  return action === IrqSetFlag.ACTION_UNMASK ? "unmask" : "fire";
}

function isOne(bits: number): boolean {
  return bits !== 0 && (bits & (bits - 1)) === 0;
}

function refused(why: string): KernelError {
  return new KernelError("EINVAL", `SET_IRQS: ${why}`);
}
