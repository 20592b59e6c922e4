/**
 * What a 3390 on a 3990 model 6 says of itself: sense id, device characteristics, configuration data, subsystem status. Places and values:
 * IBM 3990 Storage Control Reference (GA32-0099) and those that Linux's DASD driver looks at (arch/s390 dasd_eckd).
 */

import { toEbcdic } from "../image/ebcdic.js";
import type { Geometry } from "../image/geometry.js";
import { largestBlock } from "./extent.js";

const controlUnit = { type: 0x3990, model: 0xe9, code: 0x15 } as const;

export interface DasdIdentity {
  /** Twelve letters and digits; what tells this disk from others of its subsystem. */
  readonly serial: string;
  /** 0-255: which disk of its subsystem this is. */
  readonly unitAddress: number;
  /** 0-65535. */
  readonly subsystem: number;
}

/** With the commands for read configuration data, perform subsystem function and read subsystem data. */
export function senseId({ type, model }: Geometry): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 0xff);
  view.setUint16(1, controlUnit.type);
  view.setUint8(3, controlUnit.model);
  view.setUint16(4, type.type);
  view.setUint8(6, model.model);
  view.setUint32(8, 0x40fa_0100);
  view.setUint32(12, 0x4127_0004);
  view.setUint32(16, 0x423e_0060);
  return bytes;
}

export function deviceCharacteristics({ type, model, cylinders, heads }: Geometry): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  const primary = Math.min(cylinders, model.cylinders);
  view.setUint16(0, controlUnit.type);
  view.setUint8(2, controlUnit.model);
  view.setUint16(3, type.type);
  view.setUint8(5, model.model);
  // Locate record with read tracks and read; record cache, track cache.
  view.setUint32(6, 0x5000_1010);
  // Device class DASD.
  view.setUint8(10, 0x20);
  view.setUint8(11, model.typeCode);
  view.setUint16(12, primary);
  view.setUint16(14, heads);
  view.setUint8(16, 224);
  view.setUint16(18, 58786);
  view.setUint16(20, 1428);
  // The formula for what fits on a track, and its factors.
  bytes.set([2, 34, 19, 9, 6, 116], 22);
  if (cylinders > primary) {
    view.setUint16(28, primary);
    view.setUint16(30, (cylinders - primary) * heads);
  }
  view.setUint8(40, model.typeCode);
  view.setUint8(41, model.typeCode);
  view.setUint8(42, controlUnit.code);
  view.setUint8(43, 2);
  view.setUint16(44, largestBlock - 8);
  view.setUint8(47, 1);
  view.setUint8(48, 6);
  view.setUint16(49, 0x7708);
  bytes.set([0x0f, 0x00, 0x7f, 0x48], 51);
  view.setUint8(56, controlUnit.code);
  // No real disk behind: no alternate tracks to read.
  view.setUint8(57, 0xff);
  return bytes;
}

/** Node element descriptors of the disk, its string, the storage director and the subsystem, and a general qualifier. */
export function configurationData(geometry: Geometry, identity: DasdIdentity): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  const disk = `  ${hex(geometry.type.type, 4)}0${hex(geometry.model.model, 2)}`;
  const director = `  ${hex(controlUnit.type, 4)}0${hex(controlUnit.model, 2)}`;
  const descriptors = [
    { flags: 0xc401_0100, name: disk },
    { flags: 0xc400_0000, name: disk },
    { flags: 0xd402_0000, name: director },
    { flags: 0xf000_0001, name: `  ${hex(controlUnit.type, 4)}   ` },
  ];
  for (const [index, { flags, name }] of descriptors.entries()) {
    const at = index * 32;
    view.setUint32(at, flags);
    // Type and model, maker, plant, sequence number.
    bytes.set(toEbcdic(`${name}PHL01${identity.serial}`).subarray(0, 26), at + 4);
    view.setUint16(at + 30, 0x0300);
  }
  bytes.set([0x80, 0], 224);
  view.setUint8(230, 0x1e);
  view.setUint16(232, identity.subsystem);
  bytes.set([0x80, identity.unitAddress, identity.unitAddress, identity.unitAddress], 234);
  bytes.set([0x80, 0x80, identity.unitAddress], 241);
  return bytes;
}

/** Feature codes, a byte each or a bit. Places are those that Linux' driver looks at: prefix is all there is. */
export function features(): Uint8Array {
  const bytes = new Uint8Array(256);
  bytes[8] = 0x01;
  return bytes;
}

export function subsystemStatus(identity: DasdIdentity): Uint8Array {
  const bytes = new Uint8Array(44);
  bytes.set([0x01, identity.unitAddress, 31]);
  new DataView(bytes.buffer).setUint16(38, identity.subsystem);
  return bytes;
}

const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, "0");
