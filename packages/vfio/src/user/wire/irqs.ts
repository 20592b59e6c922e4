/** SET_IRQS: what is to happen with a range of interrupts. Its descriptors travel beside it. */
import { maxIrqs } from "./limits.js";
import { Reader } from "./reader.js";

export interface SetIrqs {
  readonly index: number;
  readonly start: number;
  readonly count: number;
  readonly action: "mask" | "unmask" | "trigger";
  /** "eventfd": the descriptors that came along are signalled; without any the range's are forgotten. */
  readonly data: "none" | "eventfd" | readonly boolean[];
}

const dataNone = 1;
const dataBool = 2;
const dataEventfd = 4;
const actionMask = 8;
const actionUnmask = 16;
const actionTrigger = 32;
const headBytes = 20;

/** @throws KernelError EINVAL */
export function decodeSetIrqs(body: Uint8Array): SetIrqs {
  const reader = new Reader("DEVICE_SET_IRQS", body);
  const argsz = reader.u32();
  const flags = reader.u32();
  const index = reader.u32();
  const start = reader.u32();
  const count = reader.u32();
  if (argsz < headBytes) reader.refuse(`argsz ${argsz}, at least ${headBytes} are needed`);
  if (count > maxIrqs || start > maxIrqs - count)
    reader.refuse(`interrupts ${start} … of ${count}; there are at most ${maxIrqs} of an index`);
  return { index, start, count, action: actionOf(flags, reader), data: dataOf(flags, count, reader) };
}

function actionOf(flags: number, reader: Reader): SetIrqs["action"] {
  switch (flags & ~(dataNone | dataBool | dataEventfd)) {
    case actionMask:
      return "mask";
    case actionUnmask:
      return "unmask";
    case actionTrigger:
      return "trigger";
    default:
      return reader.refuse(`flags 0x${flags.toString(16)}; exactly one action is expected`);
  }
}

function dataOf(flags: number, count: number, reader: Reader): SetIrqs["data"] {
  switch (flags & (dataNone | dataBool | dataEventfd)) {
    case dataNone:
      return "none";
    case dataBool:
      return Array.from(reader.bytes(count), (byte) => byte !== 0);
    case dataEventfd:
      return "eventfd";
    default:
      return reader.refuse(`flags 0x${flags.toString(16)}; exactly one kind of data is expected`);
  }
}
