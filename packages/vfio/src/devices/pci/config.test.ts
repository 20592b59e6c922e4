import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isKernelError } from "parhelion-core";
import { PciConfig } from "./config.js";
import { PciOffset, PciStatus } from "./config-offsets.js";

function word(config: PciConfig, offset: number): number {
  return Buffer.from(config.read(offset, 4)).readUInt32LE();
}

function write(config: PciConfig, offset: number, value: number): void {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  config.write(offset, bytes);
}

test("a base address tells its size when ones are written, and keeps what it is given", () => {
  const config = new PciConfig()
    .bar({ index: 0, kind: "io", size: 8 })
    .bar({ index: 1, kind: "memory32", size: 0x1000 })
    .bar({ index: 2, kind: "memory64", size: 0x4000 });
  const sized = [0, 1, 2, 3].map((index) => {
    write(config, PciOffset.bars + 4 * index, 0xffff_ffff);
    return word(config, PciOffset.bars + 4 * index);
  });
  assert.deepEqual(sized, [0xffff_fff9, 0xffff_f000, 0xffff_c004, 0xffff_ffff]);
  write(config, PciOffset.bars, 0xe8f3);
  assert.equal(word(config, PciOffset.bars), 0xe8f1);
  write(config, PciOffset.bars + 16, 0xffff_ffff);
  assert.equal(word(config, PciOffset.bars + 16), 0, "there is no fifth");
});

test("only what can be written changes, whichever bytes a write touches, and a reset undoes it", () => {
  const mask = fc.nat({ max: 0xffff_ffff });
  fc.assert(
    fc.property(
      mask,
      mask,
      fc.array(fc.tuple(fc.nat({ max: 3 }), fc.uint8Array({ minLength: 1, maxLength: 4 }))),
      (value, writable, writes) => {
        const config = new PciConfig().define(0x40, 4, value, writable);
        let expected = value >>> 0;
        for (const [at, bytes] of writes) {
          config.write(0x40 + at, bytes);
          bytes.forEach((byte, i) => {
            if (at + i > 3) return;
            const shift = 8 * (at + i);
            const bits = writable & (0xff << shift);
            expected = ((expected & ~bits) | ((byte << shift) & bits)) >>> 0;
          });
          assert.equal(word(config, 0x40), expected);
          assert.equal(config.field(0x40, 4), expected);
        }
        const state = config.state;
        config.reset();
        assert.equal(word(config, 0x40), value >>> 0);
        config.restore(state);
        assert.equal(word(config, 0x40), expected);
      },
    ),
  );
});

test("capabilities form a list that begins in the header and ends with zero", () => {
  const config = new PciConfig()
    .capability(0x11, 0x40, [{ at: 2, length: 2, value: 3, writable: 0xc000 }])
    .capability(0x09, 0x60, [{ at: 2, length: 1, value: 8 }]);
  const [first = 0] = config.read(PciOffset.capabilities, 1);
  const [id, next = 0, size] = config.read(first, 3);
  assert.deepEqual([first, id, next, size], [0x40, 0x11, 0x60, 3]);
  assert.deepEqual([...config.read(next, 3)], [0x09, 0, 8]);
  assert.equal(config.field(PciOffset.status, 2) & PciStatus.capabilities, PciStatus.capabilities);
  write(config, 0x40, 0xffff_0000);
  assert.equal(word(config, 0x40) >>> 16, 0xc003);
});

test("a window answers for its part of a read that begins before it, and is told what is written there", () => {
  const written: [number, number[]][] = [];
  const changes: string[] = [];
  const config = new PciConfig()
    .define(0x50, 4, 0x04030201, 0xffff_ffff)
    .window(0x54, 4, {
      read: (offset, length) => Uint8Array.from({ length }, (_, i) => 0xa0 + offset + i),
      write: (offset, bytes) => written.push([offset, [...bytes]]),
    })
    .watch(0x52, 1, () => changes.push("changed"));
  assert.deepEqual([...config.read(0x53, 3)], [4, 0xa0, 0xa1]);
  config.write(0x53, Uint8Array.of(9, 8, 7));
  assert.deepEqual(written, [[0, [8, 7]]]);
  assert.deepEqual([...config.read(0x53, 2)], [9, 0xa0]);
  assert.deepEqual(changes, []);
  config.write(0x51, Uint8Array.of(1, 1));
  assert.deepEqual(changes, ["changed"]);
});

test("nothing outside of the space can be read or written", () => {
  const config = new PciConfig();
  for (const [offset, length] of [
    [-1, 1],
    [256, 1],
    [255, 2],
    [0, 0],
    [0.5, 1],
  ] as const)
    assert.throws(
      () => config.read(offset, length),
      (error) => isKernelError(error, "EINVAL"),
    );
  assert.throws(
    () => config.write(254, new Uint8Array(3)),
    (error) => isKernelError(error, "EINVAL"),
  );
});
