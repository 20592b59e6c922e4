/** The words that the model of channel programs is written in. */
import { Cstat, Dstat } from "parhelion-buses";
import type { Event, World } from "./model-types.test.fixture.js";

export type Kind = "write" | "read" | "backward" | "control" | "sense";

export interface Word {
  readonly at: number;
  readonly cmd: number;
  readonly flags: number;
  readonly count: number;
  readonly cda: number;
}

export interface Wrong {
  readonly wrong: number;
  /** Null: that of the CCW in use. */
  readonly cpa: number | null;
}

/** Where a CCW's next byte is. `list` null: there are no IDAWs. */
export interface Cursor {
  readonly list: number | null;
  readonly first: boolean;
  readonly address: number;
  readonly left: number;
}

export interface Flow {
  readonly world: World;
  readonly word: Word;
  readonly left: number;
  readonly cursor: Cursor;
  readonly wrong: number;
  readonly cpa: number;
  readonly accepted: boolean;
  readonly exceeded: boolean;
}

export const flagCd = 0x80;
export const flagCc = 0x40;
export const flagSli = 0x20;
export const flagSkip = 0x10;
export const flagPci = 0x08;
export const flagIda = 0x04;
export const flagSuspend = 0x02;
export const flagMida = 0x01;

export const is = (word: Word, flag: number): boolean => (word.flags & flag) > 0;
export const past = (address: number): number => (address + 8) % 0x8000_0000;
export const program = (cpa: number | null): Wrong => ({ wrong: Cstat.PROG_CHECK, cpa });
export const isWrong = (value: object): value is Wrong => "wrong" in value && !("word" in value);

export function note(flow: Flow, event: Event): Flow {
  return { ...flow, world: { ...flow.world, events: [...flow.world.events, event] } };
}

export function unusual(status: number): boolean {
  return (status & (Dstat.ATTENTION | Dstat.BUSY | Dstat.UNIT_CHECK | Dstat.UNIT_EXCEP)) !== 0;
}

export function kindOf(cmd: number): Kind | null {
  const nibble = cmd % 16;
  if (nibble === 12) return "backward";
  if (nibble === 4) return "sense";
  const low = nibble % 4;
  return low === 0 ? null : ((["write", "read", "control"] as const)[low - 1] ?? null);
}
