/**
 * The channel programs of Linux' driver for these disks, CCW for CCW with their flags and counts: what it sends to bring one online, to see
 * how it is formatted, to read and write blocks, and to format. Written after what drivers/s390/block/dasd_eckd.c does.
 */
import assert from "node:assert/strict";
import { CcwFlag, ccw1, Dstat, type Irb } from "parhelion-buses";
import type { DiskImage } from "../image/disk-image.js";
import { Rig } from "../subsystem/machine.test.fixture.js";
import { Dasd3390 } from "./dasd-3390.js";

const programAt = 0x1000;
const parametersAt = 0x2000;
const dataAt = 0x3000;
const { CC, SLI } = CcwFlag;
const heads = 15;
export const blockSize = 4096;
export const blocksPerTrack = 12;
/** Of the layout that other systems can read: records of track 0, and of track 1, with their keys. */
const labelSizes = [28, 148, 84] as const;
const labelSize = 140;

const Code = {
  readCount: 0x12,
  readCountMt: 0x92,
  readMt: 0x86,
  writeMt: 0x85,
  writeRecordZero: 0x15,
  writeCkd: 0x1d,
  writeCkdMt: 0x9d,
  define: 0x63,
  locate: 0x47,
  prefix: 0xe7,
} as const;

export interface Word {
  readonly cmd: number;
  readonly flags: number;
  readonly bytes: Uint8Array | number;
}

/** What is to be written, or how many bytes to read. */
const word = (cmd: number, bytes: Uint8Array | number, flags = 0): Word => ({ cmd, flags, bytes });

const track = (number: number) => Buffer.from([0, Math.floor(number / heads), 0, number % heads]);

export class LinuxDriver {
  readonly rig: Rig;
  /** Feature codes; the driver goes by them. */
  features: Uint8Array = new Uint8Array(256);

  constructor(image: DiskImage) {
    this.rig = new Rig({}, { device: new Dasd3390(image) });
    this.rig.modify({ csense: 1 });
  }

  /** @returns the status, and what was read, in order */
  async run(...words: readonly Word[]): Promise<{ readonly irb: Irb; readonly read: Buffer[] }> {
    const { rig } = this;
    const { bytes } = rig.storage;
    let parameters = parametersAt;
    let data = dataAt;
    const reads: [number, number][] = [];
    for (const [index, { cmd, flags, bytes: what }] of words.entries()) {
      const count = typeof what === "number" ? what : what.length;
      const small = count <= 256 && typeof what !== "number";
      const cda = small ? parameters : data;
      if (small) parameters += (count + 7) & ~7;
      else data += (count + 7) & ~7;
      assert.ok(parameters <= dataAt && data <= bytes.length && programAt + 8 * words.length <= parametersAt);
      if (typeof what === "number") reads.push([cda, count]);
      else bytes.set(what, cda);
      const chain = index + 1 < words.length ? CC : 0;
      bytes.set(ccw1.encode({ cmd, flags: flags | chain, count, cda }), programAt + 8 * index);
    }
    const before = rig.interruptions.length;
    assert.equal(rig.start(), 0);
    for (let turn = 0; rig.interruptions.length === before && turn < 100_000; turn += 1) await rig.quiet();
    return {
      irb: rig.collect(),
      read: reads.map(([at, count]) => Buffer.from(bytes.subarray(at, at + count))),
    };
  }

  /** A program that has to end well, to the last byte of its counts. */
  async done(...words: readonly Word[]): Promise<Buffer[]> {
    const { irb, read } = await this.run(...words);
    const { dstat, cstat } = irb.scsw;
    const sense = Buffer.from(irb.ecw).toString("hex", 0, 8);
    assert.deepEqual([dstat, cstat], [Dstat.CHN_END | Dstat.DEV_END, 0], `sense ${sense}`);
    return read;
  }

  /** A program that the driver expects to be refused by control units that are not of the newest. */
  async refused(...words: readonly Word[]): Promise<void> {
    const { irb } = await this.run(...words);
    assert.deepEqual([irb.scsw.dstat & Dstat.UNIT_CHECK, irb.ecw[0]], [Dstat.UNIT_CHECK, 0x80]);
  }

  /** Prepare for read subsystem data of that kind, and reading it. */
  subsystemData(kind: number, count: number): readonly Word[] {
    const order = new Uint8Array(12);
    order[0] = 0x18;
    order[6] = kind;
    return [word(0x27, order), word(0x3e, count)];
  }

  /** @returns sense id, configuration data, characteristics */
  async online(): Promise<readonly [Buffer, Buffer, Buffer]> {
    const [id] = (await this.done(word(0xe4, 255, SLI))) as [Buffer];
    await this.done(word(0x34, 12, SLI));
    const group = Buffer.from("00010203040506070809000a", "hex");
    await this.done(word(0x5b, 0, SLI), word(0xaf, Buffer.concat([Buffer.of(0x80), group.subarray(1)]), SLI));
    const [sensed] = (await this.done(word(0x34, 12, SLI))) as [Buffer];
    assert.deepEqual(sensed.subarray(1), group.subarray(1));
    assert.equal((sensed[0] as number) & 0xc8, 0xc8, "grouped, multi-path");
    const [configuration] = (await this.done(word(0xfa, 256))) as [Buffer];
    const [, codes] = (await this.#pair(this.subsystemData(0x41, 256))) as [unknown, Buffer];
    this.features = codes;
    const [characteristics] = (await this.done(word(0x64, 64))) as [Buffer];
    return [id, configuration, characteristics];
  }

  async #pair(words: readonly Word[]): Promise<unknown[]> {
    return [undefined, ...(await this.done(...words))];
  }

  /** Counts of the first four records of track 0 and the first of track 1. */
  async analysis(): Promise<Buffer[]> {
    const count = word(Code.readCount, 8);
    return this.done(
      ...[word(Code.define, this.#extent(0, 1, Code.readCount)), locate(0, 0, 4, Code.readCount, 0)],
      ...[count, count, count, count],
      ...[locate(1, 0, 1, Code.readCount, 0), count],
    );
  }

  /** Blocks of a disk in the layout that other systems can read. */
  async readBlocks(first: number, count: number): Promise<Buffer[]> {
    return this.done(...this.#blocks(first, count, Code.readMt, (_index, size) => size));
  }

  async writeBlocks(first: number, blocks: readonly Uint8Array[]): Promise<void> {
    await this.done(
      ...this.#blocks(first, blocks.length, Code.writeMt, (index, size) =>
        (blocks[index] as Uint8Array).subarray(0, size),
      ),
    );
  }

  #blocks(
    first: number,
    count: number,
    code: number,
    data: (index: number, size: number) => Uint8Array | number,
  ): Word[] {
    const last = first + count - 1;
    const trackOf = (block: number) => Math.floor(block / blocksPerTrack);
    const words = [this.#extentWord(trackOf(first), trackOf(last), code)];
    const standard = (block: number) =>
      locate(trackOf(block), (block % blocksPerTrack) + 1, last - block + 1, code, blockSize);
    if (first > 2 * blocksPerTrack) words.push(standard(first));
    for (let block = first; block <= last; block += 1) {
      const special = block < 3 || (block >= blocksPerTrack && block < 2 * blocksPerTrack);
      const size = special ? (labelSizes[block] ?? labelSize) : blockSize;
      const each = special ? code | 0x08 : code;
      if (block < 2 * blocksPerTrack)
        words.push(locate(trackOf(block), (block % blocksPerTrack) + 1, 1, each, size));
      if (block === 2 * blocksPerTrack) words.push(standard(block));
      words.push(word(each, data(block - first, size)));
    }
    return words;
  }

  /** Makes a track one that has nothing on it. */
  async invalidate(number: number): Promise<void> {
    await this.done(
      this.#extentWord(number, number, Code.writeCkd),
      locate(number, 0, 1, Code.writeCkd, 8),
      word(Code.writeCkd, countOf(number, 1, 0, 0), SLI),
    );
  }

  /** @param zero "new": record zero is written, too, which the driver does track by track */
  async format(first: number, last: number, zero: "kept" | "new" = "kept"): Promise<void> {
    const all = (last - first + 1) * blocksPerTrack;
    const code = zero === "new" ? Code.writeRecordZero : Code.writeCkd;
    const words = [this.#extentWord(first, last, code), locate(first, 0, all, code, blockSize)];
    for (let number = first; number <= last; number += 1) {
      if (zero === "new") words.push(word(code, countOf(number, 0, 0, 8), SLI));
      for (let record = 1; record <= blocksPerTrack; record += 1) {
        const label = number === 0 ? labelSizes[record - 1] : undefined;
        const [key, size] =
          label !== undefined ? [4, label - 4] : number === 1 ? [44, labelSize - 44] : [0, blockSize];
        const each = record === 1 && number !== first ? Code.writeCkdMt : Code.writeCkd;
        words.push(word(each, countOf(number, record, key, size), SLI));
      }
    }
    await this.done(...words);
  }

  /** How the disk is formatted, count by count, as the driver looks when it is asked to. */
  async counts(first: number, last: number): Promise<Buffer[]> {
    const all = (last - first + 1) * blocksPerTrack;
    return this.done(
      this.#extentWord(first, last, Code.readCount),
      locate(first, 0, all, Code.readCount, 0),
      ...Array.from({ length: all }, () => word(Code.readCountMt, 8, SLI)),
    );
  }

  /** Prefix where the control unit says that it has it. */
  #extentWord(first: number, last: number, code: number): Word {
    const extent = this.#extent(first, last, code);
    if (((this.features[8] ?? 0) & 0x01) === 0) return word(Code.define, extent);
    // Format 0, define extent valid; unit address and subsystem of the base; the space for a locate record stays zero.
    const bytes = new Uint8Array(64);
    bytes[1] = 0x80;
    bytes.set(extent, 12);
    return word(Code.prefix, bytes);
  }

  #extent(first: number, last: number, code: number): Uint8Array {
    const bytes = new Uint8Array(16);
    const bypass = 1 << 2;
    const [mask, operation] =
      code === Code.readCount
        ? [0x40, bypass]
        : code === Code.readMt
          ? [0x40, 0]
          : code === Code.writeMt
            ? [0x80, 0]
            : code === Code.writeCkd
              ? [0x00, bypass]
              : [0xc2, bypass];
    bytes.set([mask, 0xc0 | operation]);
    bytes.set(track(first), 8);
    bytes.set(track(last), 12);
    return bytes;
  }
}

function countOf(number: number, record: number, key: number, size: number): Uint8Array {
  return Buffer.from([...track(number), record, key, size >> 8, size & 0xff]);
}

function locate(number: number, record: number, count: number, code: number, size: number): Word {
  const bytes = Buffer.alloc(16);
  const dn = Math.ceil((size + 6) / 232);
  const d = 9 + Math.ceil((size + 6 * (dn + 1)) / 34);
  const zero = code === Code.writeRecordZero;
  const reads = (code & 3) === 2;
  bytes[0] = zero ? 0xc3 : code === Code.writeCkd ? 0x03 : reads ? 0x06 : 0x01;
  if (!zero && code !== Code.readCount) {
    bytes[1] = 0x80;
    bytes.writeUInt16BE(size, 14);
  }
  bytes[3] = zero ? count + 1 : count;
  bytes.set(track(number), 4);
  bytes.set(track(number), 8);
  bytes[12] = record;
  if (record > 0) bytes[13] = Math.floor((49 + (record - 1) * (10 + d)) / 8);
  return word(Code.locate, bytes);
}
