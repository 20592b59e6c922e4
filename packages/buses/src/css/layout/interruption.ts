/** What a subchannel answers when its status is collected, and what the machine reports by itself. */

import { bits, byteString, reserved, structure } from "./structure.js";
import { scsw } from "./subchannel.js";

/** Extended report word: what is valid in the rest. */
export const erw = structure("ERW", {
  reserved1: reserved(3),
  auth: bits(1),
  pvrf: bits(1),
  cpt: bits(1),
  /** The failing storage address is valid. */
  fsavf: bits(1),
  /** Concurrent sense: the ECW holds sense data. */
  cons: bits(1),
  scavf: bits(1),
  fsaf: bits(1),
  /** Sense bytes in the ECW. */
  scnt: bits(6),
  reserved2: reserved(16),
});

/** Extended status word of format 0. Of the other formats the ERW and `lpum` are valid, at the same places. */
export const esw = structure("ESW", {
  reserved1: reserved(1),
  esf: bits(7),
  /** Path used last. */
  lpum: bits(8),
  arep: bits(1),
  fvf: bits(5),
  sacc: bits(2),
  termc: bits(2),
  devsc: bits(1),
  serr: bits(1),
  ioerr: bits(1),
  seqc: bits(3),
  erw: erw.field,
  faddr: byteString(8),
  saddr: bits(32),
});

/** Interruption response block, without the measurement part. */
export const irb = structure("IRB", {
  scsw: scsw.field,
  esw: esw.field,
  /** Extended control word: with concurrent sense the sense bytes. */
  ecw: byteString(32),
});

/** Channel report word. */
export const crw = structure("CRW", {
  reserved1: reserved(1),
  slct: bits(1),
  /** Reports before this one were lost. */
  oflw: bits(1),
  /** The next report belongs to this one. */
  chn: bits(1),
  rsc: bits(4),
  anc: bits(1),
  reserved2: reserved(1),
  erc: bits(6),
  rsid: bits(16),
});

export type Esw = ReturnType<typeof esw.decode>;
export type Irb = ReturnType<typeof irb.decode>;
export type Crw = ReturnType<typeof crw.decode>;

/** Reporting sources of a CRW. */
export const Rsc = { MONITOR: 2, SCH: 3, CPATH: 4, CONFIG: 9, CSS: 0xb } as const;

/** Error recovery codes of a CRW. */
export const Erc = {
  EVENT: 0,
  AVAIL: 1,
  INIT: 2,
  TERROR: 3,
  IPARM: 4,
  TERM: 5,
  PERRN: 6,
  PERRI: 7,
  PMOD: 8,
} as const;
