/** A channel for tests of the control unit: it runs a list of commands with their data, follows branches and status modifier. */
import { Dstat } from "parhelion-buses";
import type { Command, CommandClass, DataPath, Ending } from "../interpreter/device.js";
import type { Dasd3390 } from "./dasd-3390.js";

/** A command with bytes to write, or a number of bytes to read; or a branch to the command so many places before. */
export type Step =
  | { readonly code: number; readonly write: Uint8Array }
  | { readonly code: number; readonly read: number }
  | { readonly back: number };

export const write = (code: number, ...bytes: readonly (number | Uint8Array)[]): Step => ({
  code,
  write: Buffer.concat(bytes.map((part) => (typeof part === "number" ? Uint8Array.of(part) : part))),
});
export const read = (code: number, length: number): Step => ({ code, read: length });
export const back = (places: number): Step => ({ back: places });

export interface Outcome {
  /** Of the last command, with what the end of the program added. */
  readonly status: number;
  readonly sense: Uint8Array | undefined;
  /** What each read brought, in order. */
  readonly data: Uint8Array[];
  /** The step that was last. */
  readonly last: number;
}

function kindOf(code: number): CommandClass {
  const low = code & 0x0f;
  if (low === 4) return "sense";
  if ((code & 3) === 3) return "control";
  if ((code & 3) === 2) return "read";
  return (code & 3) === 1 ? "write" : "control";
}

const mostSteps = 2000;

export async function run(device: Dasd3390, steps: readonly Step[], chpid = 0x10): Promise<Outcome> {
  const data: Uint8Array[] = [];
  let ending: Ending = { status: 0 };
  let at = 0;
  let last = 0;
  for (let count = 0; at < steps.length; count += 1) {
    if (count > mostSteps) throw new Error("the program goes in a circle");
    const step = steps[at] as Step;
    if ("back" in step) {
      at -= step.back;
      continue;
    }
    last = at;
    const kind = kindOf(step.code);
    const command: Command = { code: step.code, kind, chained: count > 0, path: { chpid, mask: 0x80 } };
    ending = await device.execute(command, pathOf(step, data));
    if ((ending.status & ~(Dstat.CHN_END | Dstat.DEV_END | Dstat.STAT_MOD)) !== 0) break;
    at += (ending.status & Dstat.STAT_MOD) === 0 ? 1 : 2;
  }
  const more = await device.programEnd();
  return { status: ending.status | (more?.status ?? 0), sense: more?.sense ?? ending.sense, data, last };
}

function pathOf(step: Exclude<Step, { readonly back: number }>, data: Uint8Array[]): DataPath {
  let taken = 0;
  const receive = async (length: number) => {
    if (!("write" in step)) return new Uint8Array(0);
    const bytes = step.write.subarray(taken, taken + length);
    taken += bytes.length;
    return bytes;
  };
  return {
    accept: () => undefined,
    receive,
    receiveRest: receive,
    send: async (bytes) => {
      if (!("read" in step)) return 0;
      const part = bytes.slice(0, step.read);
      data.push(part);
      return part.length;
    },
  };
}

const half = (value: number) => Uint8Array.of(value >> 8, value & 0xff);

/** Cylinder and head. */
export const cchh = (cylinder: number, head: number): Uint8Array =>
  Buffer.concat([half(cylinder), half(head)]);

export const count = (
  cylinder: number,
  head: number,
  record: number,
  keyLength: number,
  dataLength: number,
): Uint8Array => Buffer.concat([cchh(cylinder, head), Uint8Array.of(record, keyLength), half(dataLength)]);

export interface ExtentWish {
  readonly mask?: number;
  readonly block?: number;
  readonly first?: Uint8Array;
  readonly last?: Uint8Array;
}

export const defineExtent = (wish: ExtentWish = {}): Step =>
  write(
    0x63,
    wish.mask ?? 0xc0,
    0xc0,
    half(wish.block ?? 0),
    new Uint8Array(4),
    wish.first ?? cchh(0, 0),
    wish.last ?? cchh(3, 14),
  );

export interface LocateWish {
  readonly operation: number;
  readonly count: number;
  readonly seek: Uint8Array;
  readonly record?: number;
  readonly auxiliary?: number;
  readonly length?: number;
}

export const locate = (wish: LocateWish): Step =>
  write(
    0x47,
    wish.operation,
    wish.auxiliary ?? 0,
    0,
    wish.count,
    wish.seek,
    wish.seek,
    wish.record ?? 0,
    0xff,
    half(wish.length ?? 0),
  );

/** Seek address of six bytes. */
export const seek = (cylinder: number, head: number): Step => write(0x07, 0, 0, cchh(cylinder, head));
export const searchId = (cylinder: number, head: number, record: number): Step =>
  write(0x31, cchh(cylinder, head), record);
