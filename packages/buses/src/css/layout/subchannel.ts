/**
 * What the channel subsystem keeps of a subchannel. Names and places are Linux's (arch/s390/include/asm/schid.h, cio.h,
 * scsw.h; drivers/s390/cio/cio.h).
 */
import { bits, byteString, reserved, structure, wide } from "./structure.js";

/** Path management control word. */
export const pmcw = structure("PMCW", {
  intparm: bits(32),
  /** QDIO facility. */
  qf: bits(1),
  w: bits(1),
  /** Interruption subclass. */
  isc: bits(3),
  reserved1: reserved(3),
  /** Enabled. */
  ena: bits(1),
  lm: bits(2),
  mme: bits(2),
  /** Multipath mode. */
  mp: bits(1),
  tf: bits(1),
  /** Device number valid. */
  dnv: bits(1),
  dev: bits(16),
  /** Logical paths. */
  lpm: bits(8),
  /** Paths that were found not operational. */
  pnom: bits(8),
  /** Path used last. */
  lpum: bits(8),
  /** Paths installed. */
  pim: bits(8),
  mbi: bits(16),
  /** Paths operational. */
  pom: bits(8),
  /** Paths available. */
  pam: bits(8),
  chpid: byteString(8),
  reserved2: reserved(8),
  /** Subchannel type. */
  st: bits(3),
  reserved3: reserved(18),
  mbfc: bits(1),
  xmwme: bits(1),
  /** Concurrent sense. */
  csense: bits(1),
});

/** Subchannel status word, command mode. */
export const scsw = structure("SCSW", {
  key: bits(4),
  /** Suspend control. */
  sctl: bits(1),
  /** 1: the extended status word is of format 0. */
  eswf: bits(1),
  /** Deferred condition code. */
  cc: bits(2),
  fmt: bits(1),
  pfch: bits(1),
  isic: bits(1),
  alcc: bits(1),
  /** Suppress suspended interruption. */
  ssi: bits(1),
  /** Zero condition code: the device accepted the first command. */
  zcc: bits(1),
  /** Extended control: the ECW holds something. */
  ectl: bits(1),
  /** Path not operational. */
  pno: bits(1),
  reserved1: reserved(1),
  fctl: bits(3),
  actl: bits(7),
  stctl: bits(5),
  /** Channel program address: 8 past the last command. */
  cpa: bits(32),
  dstat: bits(8),
  cstat: bits(8),
  /** Residual count. */
  count: bits(16),
});

/** Subchannel information block. */
export const schib = structure("SCHIB", {
  pmcw: pmcw.field,
  scsw: scsw.field,
  /** Measurement block address. */
  mba: wide,
  /** Model-dependent area. */
  mda: byteString(4),
});

export type Pmcw = ReturnType<typeof pmcw.decode>;
export type Scsw = ReturnType<typeof scsw.decode>;
export type Schib = ReturnType<typeof schib.decode>;

/** Function control of a SCSW. */
export const Fctl = { START: 4, HALT: 2, CLEAR: 1 } as const;

/** Activity control. */
export const Actl = {
  RESUME_PEND: 0x40,
  START_PEND: 0x20,
  HALT_PEND: 0x10,
  CLEAR_PEND: 0x08,
  SCHACT: 0x04,
  DEVACT: 0x02,
  SUSPENDED: 0x01,
} as const;

/** Status control. */
export const Stctl = { ALERT: 0x10, INTER: 0x08, PRIM: 0x04, SEC: 0x02, PEND: 0x01 } as const;

/** Device status: what a control unit says of its device. */
export const Dstat = {
  ATTENTION: 0x80,
  STAT_MOD: 0x40,
  CU_END: 0x20,
  BUSY: 0x10,
  CHN_END: 0x08,
  DEV_END: 0x04,
  UNIT_CHECK: 0x02,
  UNIT_EXCEP: 0x01,
} as const;

/** Subchannel status: what the channel says. */
export const Cstat = {
  PCI: 0x80,
  INCORR_LEN: 0x40,
  PROG_CHECK: 0x20,
  PROT_CHECK: 0x10,
  CHN_DATA_CHK: 0x08,
  CHN_CTRL_CHK: 0x04,
  INTF_CTRL_CHK: 0x02,
  CHAIN_CHECK: 0x01,
} as const;

/** Subchannel types. */
export const SubchannelType = { IO: 0, CHSC: 1, MSG: 2, ADM: 3 } as const;
