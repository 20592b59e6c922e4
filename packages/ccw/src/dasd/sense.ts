/**
 * Why a command ended with unit check, as 32 sense bytes that keep the format of the 24 older ones. Bytes and messages: IBM 3990
 * Storage Control Reference, GA32-0099.
 */
import type { TrackAddress } from "../image/geometry.js";

export const Sense0 = {
  commandReject: 0x80,
  interventionRequired: 0x40,
  equipmentCheck: 0x10,
  dataCheck: 0x08,
  /** A locate-record domain ended before its count of commands. */
  incompleteDomain: 0x01,
} as const;

export const Sense1 = {
  permanentError: 0x80,
  invalidTrackFormat: 0x40,
  endOfCylinder: 0x20,
  noRecordFound: 0x08,
  fileProtected: 0x04,
  writeInhibited: 0x02,
  imprecise: 0x01,
} as const;

/** Of format 0: what was wrong with the program. */
export const SenseMessage = {
  none: 0,
  invalidCommand: 1,
  invalidSequence: 2,
  countTooSmall: 3,
  invalidParameter: 4,
  maskViolated: 5,
} as const;

export const senseSize = 32;

export interface SenseInit {
  readonly sense0?: number;
  readonly sense1?: number;
  /** The high half of byte 7. */
  readonly format?: number;
  readonly message?: number;
}

/** Thrown by a command; the control unit ends the command with unit check and this as its sense. */
export class UnitCheck extends Error {
  override readonly name = "UnitCheck";
  readonly init: SenseInit;

  constructor(message: string, init: SenseInit, options?: ErrorOptions) {
    super(message, options);
    this.init = init;
  }
}

export const commandReject = (message: keyof typeof SenseMessage): UnitCheck =>
  new UnitCheck(`command reject: ${message}`, {
    sense0: Sense0.commandReject,
    message: SenseMessage[message],
  });

export const fileProtected = (): UnitCheck =>
  new UnitCheck("file protected", { sense1: Sense1.fileProtected });
export const noRecordFound = (): UnitCheck =>
  new UnitCheck("no record found", { sense1: Sense1.noRecordFound });
export const endOfCylinder = (): UnitCheck =>
  new UnitCheck("end of cylinder", { sense1: Sense1.endOfCylinder });
export const invalidTrackFormat = (): UnitCheck =>
  new UnitCheck("invalid track format", { sense1: Sense1.invalidTrackFormat });
export const writeInhibited = (): UnitCheck =>
  new UnitCheck("write inhibited", {
    sense0: Sense0.equipmentCheck,
    sense1: Sense1.writeInhibited,
    message: SenseMessage.invalidParameter,
  });

/** @param cylinders of the disk: small ones say in bytes 5 and 6 where they are, big ones only in 29 to 31 */
export function senseBytes(init: SenseInit, at: TrackAddress, cylinders: number): Uint8Array {
  const bytes = new Uint8Array(senseSize);
  const view = new DataView(bytes.buffer);
  bytes[0] = init.sense0 ?? 0;
  bytes[1] = init.sense1 ?? 0;
  if (cylinders > 0xfff) view.setUint16(5, 0xffff);
  else {
    bytes[5] = at.cylinder & 0xff;
    bytes[6] = ((at.cylinder >> 8) << 4) | (at.head & 0x0f);
  }
  bytes[7] = ((init.format ?? 0) << 4) | (init.message ?? 0);
  // The bytes before are in the format of 24 bytes.
  bytes[27] = 0x80;
  view.setUint16(29, at.cylinder);
  bytes[31] = at.head;
  return bytes;
}
