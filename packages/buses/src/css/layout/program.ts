/** What starts a channel program and what it is made of (arch/s390/include/asm/cio.h, drivers/s390/cio/orb.h). */
import { bits, reserved, structure } from "./structure.js";

/** Operation request block: the 12 bytes of command mode. */
export const orb = structure("ORB", {
  intparm: bits(32),
  key: bits(4),
  /** Suspend control. */
  spnd: bits(1),
  reserved1: reserved(1),
  mod: bits(1),
  sync: bits(1),
  /** 1: CCWs of format 1. */
  fmt: bits(1),
  /** CCWs may be read before they are due. */
  pfch: bits(1),
  /** Initial-status interruption. */
  isic: bits(1),
  alcc: bits(1),
  /** Suppress suspended interruption. */
  ssic: bits(1),
  /** 1: a transport-mode ORB, whose address is of a TCW. */
  b: bits(1),
  /** 1: IDAWs of format 2, 64 bits. */
  c64: bits(1),
  /** 1: format-2 IDAWs of 2 KiB instead of 4. */
  i2k: bits(1),
  /** Paths that may be used. */
  lpm: bits(8),
  /** Incorrect-length suppression for immediate operations of format 1. */
  ils: bits(1),
  zero: bits(6),
  orbx: bits(1),
  /** Channel program address. */
  cpa: bits(32),
});

/** Channel command word of format 0. */
export const ccw0 = structure("CCW0", {
  cmd: bits(8),
  cda: bits(24),
  flags: bits(8),
  reserved1: reserved(8),
  count: bits(16),
});

/** Channel command word of format 1. */
export const ccw1 = structure("CCW1", {
  cmd: bits(8),
  flags: bits(8),
  count: bits(16),
  cda: bits(32),
});

export type Orb = ReturnType<typeof orb.decode>;
export type Ccw0 = ReturnType<typeof ccw0.decode>;
export type Ccw1 = ReturnType<typeof ccw1.decode>;

/** Flags of a CCW: chain data, chain commands, suppress length indication, … */
export const CcwFlag = {
  CD: 0x80,
  CC: 0x40,
  SLI: 0x20,
  SKIP: 0x10,
  PCI: 0x08,
  IDA: 0x04,
  SUSPEND: 0x02,
  MIDA: 0x01,
} as const;
