import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { CcwFlag, ccw1, type Orb } from "parhelion-buses";
import { isKernelError } from "parhelion-core";
import { StorageFault } from "../../storage/storage.js";
import { Guest } from "./guest.test.fixture.js";
import { maxProgramCcws } from "./limits.js";
import { translate } from "./translate.js";
import { ccwAt, codeOf, idawsAt, orbOf, setup, translated } from "./translated.test.fixture.js";

const { CC, CD, IDA, MIDA, SLI } = CcwFlag;
const write = 0x05;
const read = 0x06;
const nop = 0x03;
const tic = 0x08;

test("data is reached in the guest's own pages, through format-2 IDAWs, and not after the program is freed", async () => {
  const guest = new Guest();
  guest.put(
    0x100,
    1,
    { cmd: write, flags: CC, count: 100, cda: 0x2ff0 },
    { cmd: read, count: 16, cda: 0x4010 },
  );
  guest.bytes.fill(0x5a, 0x2ff0, 0x3060);
  const host = await translated(guest, { cpa: 0x100, c64: 1 });
  assert.deepEqual(
    [host.orb.fmt, host.orb.c64, host.orb.i2k, host.orb.lpm, host.orb.intparm],
    [1, 1, 0, 0x80, 7],
  );
  const [first, second] = [ccwAt(host, host.orb.cpa), ccwAt(host, host.orb.cpa + 8)];
  assert.deepEqual([first.cmd, first.flags, first.count], [write, CC | IDA, 100]);
  assert.deepEqual([second.cmd, second.flags, second.count], [read, IDA, 16]);
  const [head, tail] = idawsAt(host, first.cda, 2) as [number, number];
  assert.deepEqual([head % 4096, tail % 4096], [0xff0, 0]);
  assert.ok(head > 2 ** 32, "a page of the guest is above 4 GiB");
  assert.deepEqual(host.storage.read(head, 16, 0), guest.bytes.slice(0x2ff0, 0x3000));
  const [target] = idawsAt(host, second.cda, 1) as [number];
  host.storage.write(target, Uint8Array.of(1, 2, 3), 0);
  assert.deepEqual([...guest.bytes.subarray(0x4010, 0x4013)], [1, 2, 3]);
  host.program.free();
  assert.throws(() => host.storage.read(head, 16, 0), StorageFault);
  assert.throws(() => host.storage.write(target, Uint8Array.of(9), 0), StorageFault);
  assert.equal(guest.pins.size, 0);
  assert.equal(host.storage.used, 0);
});

test("format 0 becomes format 1, and what leads back into a segment belongs to it", async () => {
  const guest = new Guest();
  guest.put(
    0x200,
    0,
    { cmd: 0x31, flags: CC, count: 5, cda: 0x1000 },
    { cmd: 0xf8, flags: CC, count: 77, cda: 0x200 },
    { cmd: read, flags: SLI, count: 4, cda: 0x1010 },
  );
  const host = await translated(guest, { cpa: 0x200, fmt: 0 });
  assert.equal(host.orb.fmt, 1);
  assert.equal(host.orb.i2k, 1, "the guest's blocks are of 2 KiB");
  const transfer = ccwAt(host, host.orb.cpa + 8);
  assert.deepEqual(transfer, { cmd: tic, flags: 0, count: 0, cda: host.orb.cpa });
  assert.equal(ccwAt(host, host.orb.cpa + 16).count, 4);
});

test("transfers lead into segments of their own, once each, and addresses are told as the guest's", async () => {
  const guest = new Guest();
  guest.put(0x100, 1, { cmd: nop, flags: CC, count: 1, cda: 0x1000 }, { cmd: tic, cda: 0x300 });
  guest.put(0x300, 1, { cmd: nop, flags: CC, count: 1, cda: 0x1000 }, { cmd: tic, cda: 0x108 });
  const host = await translated(guest, { cpa: 0x100 });
  const there = ccwAt(host, host.orb.cpa + 8).cda;
  assert.equal(ccwAt(host, there).cmd, nop);
  assert.equal(ccwAt(host, there + 8).cda, host.orb.cpa + 8);
  assert.equal(host.program.guestAddress(host.orb.cpa), 0x100);
  assert.equal(host.program.guestAddress(host.orb.cpa + 16), 0x110, "behind the last one");
  assert.equal(host.program.guestAddress(there), 0x300);
  assert.equal(host.program.guestAddress(there + 16), 0x310);
  assert.equal(host.program.guestAddress(0), 0);
  assert.equal(host.program.guestAddress(host.orb.cpa - 8), 0);
});

test("IDAWs of both formats and block sizes are followed", async () => {
  const guest = new Guest();
  for (const [parts, words] of [
    [{ c64: 0 }, [0x2400, 0x3800, 0x5000]],
    [{ c64: 1, i2k: 1 }, [0x2400, 0x3800, 0x5000]],
    [{ c64: 1 }, [0x2c00, 0x5000, 0x4000]],
  ] as const) {
    words.forEach((word, index) => {
      if (parts.c64 === 0) guest.word(0x80 + index * 4, word);
      else guest.long(0x80 + index * 8, word);
    });
    const block = "c64" in parts && parts.c64 === 1 && !("i2k" in parts) ? 4096 : 2048;
    const count = block - ((words[0] as number) % block) + block + 10;
    guest.put(0x100, 1, { cmd: read, flags: IDA, count, cda: 0x80 });
    const host = await translated(guest, { cpa: 0x100, ...parts });
    const { cda } = ccwAt(host, host.orb.cpa);
    assert.equal(host.orb.i2k, block === 2048 ? 1 : 0);
    for (const [index, address] of idawsAt(host, cda, words.length).entries()) {
      host.storage.write(address, Uint8Array.of(0x40 + index), 0);
      assert.equal(guest.bytes[words[index] as number], 0x40 + index);
      guest.bytes[words[index] as number] = 0;
    }
    host.program.free();
  }
});

test("what can't be translated is refused, and leaves nothing pinned", async () => {
  const guest = new Guest();
  guest.put(0x100, 1, { cmd: write, count: 8, cda: 0x10_0000 });
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EFAULT", "data outside of memory");
  guest.put(0x100, 1, { cmd: write, flags: MIDA, count: 8, cda: 0x2000 });
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EINVAL", "MIDAWs");
  guest.put(0x100, 1, { cmd: tic, cda: 0x204 });
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EINVAL", "a transfer to where no CCW can be");
  guest.put(0x100, 1, { cmd: tic, cda: 0x7fff_fff8 });
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EFAULT", "a transfer to where no memory is");
  assert.equal(await codeOf(guest, { cpa: 0x104 }), "EINVAL");
  assert.equal(await codeOf(guest, { cpa: 0x8000_0000 }), "EINVAL", "an address of more than 31 bits");
  guest.put(0x100, 1, { cmd: tic, cda: 0xffff_fff8 });
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EINVAL", "a transfer to more than 31 bits reach");
  assert.equal(await codeOf(guest, { cpa: 0x100, b: 1 }), "EOPNOTSUPP");
  guest.put(
    0x100,
    1,
    { cmd: write, flags: CC, count: 8, cda: 0x2000 },
    { cmd: write, count: 8, cda: 0x1f_0000 },
  );
  assert.equal(await codeOf(guest, { cpa: 0x100 }), "EFAULT", "the second of two");
});

test("a segment has at most 256 CCWs, and 256 it may have", async () => {
  for (const [ccws, answer] of [
    [256, undefined],
    [257, "EINVAL"],
  ] as const) {
    const guest = new Guest();
    const chain = Array.from({ length: ccws }, (_, index) => ({
      cmd: nop,
      flags: index + 1 < ccws ? CC : 0,
      count: 1,
      cda: 0x3000,
    }));
    guest.put(0x10, 1, ...chain);
    assert.equal(await codeOf(guest, { cpa: 0x10 }), answer, `${ccws} CCWs`);
  }
});

test("a program that goes on from segment to segment ends at its limit", async () => {
  const guest = new Guest(16);
  for (let at = 0; at + 48 <= guest.bytes.length; at += 24) {
    guest.put(at, 1, { cmd: nop, flags: CC, count: 1, cda: 0 }, { cmd: tic, cda: at + 24 });
  }
  assert.ok((guest.bytes.length / 24) * 2 > maxProgramCcws);
  assert.equal(await codeOf(guest, { cpa: 0 }), "EINVAL");
});

test("only what is behind the program's last CCW may be missing", async () => {
  const guest = new Guest(2);
  guest.put(0x1ff8, 1, { cmd: nop, count: 1, cda: 0 });
  assert.equal(await codeOf(guest, { cpa: 0x1ff8 }), undefined);
  guest.put(0x1ff8, 1, { cmd: nop, flags: CC, count: 1, cda: 0 });
  assert.equal(await codeOf(guest, { cpa: 0x1ff8 }), "EFAULT");
});

/** Where each byte of the CCWs' data is, in the guest, followed by hand. */
function bytesOf(guest: Guest, parts: Partial<Orb>): number[] {
  const view = new DataView(guest.bytes.buffer);
  const block = parts.c64 === 1 && parts.i2k !== 1 ? 4096 : 2048;
  const found: number[] = [];
  for (let at = parts.cpa ?? 0; ; at += 8) {
    const { flags, count, cda } = ccw1.decode(guest.bytes, at);
    let place = cda;
    for (let index = 0, word = cda; index < count; index += 1) {
      if ((flags & IDA) !== 0 && (index === 0 || place % block === 0)) {
        place = parts.c64 === 1 ? Number(view.getBigUint64(word)) : view.getUint32(word);
        word += parts.c64 === 1 ? 8 : 4;
      }
      found.push(place);
      place += 1;
    }
    if ((flags & (CC | CD)) === 0) return found;
  }
}

test("byte by byte, the machine finds what the guest has put there", async () => {
  const ccw = fc.record({
    ida: fc.boolean(),
    chain: fc.constantFrom(CC, CD),
    count: fc.integer({ min: 1, max: 9000 }),
    start: fc.integer({ min: 0, max: 0xfff }),
    page: fc.nat(3),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(ccw, { minLength: 1, maxLength: 8 }),
      fc.constantFrom({ c64: 0 }, { c64: 1, i2k: 1 }, { c64: 1, i2k: 0 }),
      async (ccws, format) => {
        const guest = new Guest(32);
        guest.bytes.forEach((_, index) => {
          guest.bytes[index] = (index * 7 + (index >> 8)) & 0xff;
        });
        const block = format.c64 === 1 && format.i2k === 0 ? 4096 : 2048;
        ccws.forEach(({ ida, chain, count, start, page }, index) => {
          const list = 0x1000 + index * 64 * 8;
          const data = (16 + page) * 4096 + start;
          if (ida) {
            // Blocks in descending order, so that they do not follow each other.
            for (let word = 0; word < 6; word += 1) {
              const target = word === 0 ? data : (30 - word) * 4096;
              if (format.c64 === 1) guest.long(list + word * 8, target);
              else guest.word(list + word * 4, target);
            }
          }
          const flags = (ida ? IDA : 0) | (index + 1 < ccws.length ? chain : 0);
          const most = block - (start % block) + 4 * block;
          guest.put(0x100 + index * 8, 1, {
            cmd: write,
            flags,
            count: Math.min(count, most),
            cda: ida ? list : data,
          });
        });
        const parts = { cpa: 0x100, ...format };
        const host = await translated(guest, parts);
        const expected = bytesOf(guest, parts).map((address) => guest.bytes[address]);
        const found: number[] = [];
        for (let at = host.orb.cpa; ; at += 8) {
          const { flags, count, cda } = ccwAt(host, at);
          assert.equal(flags & IDA, IDA);
          let left = count;
          for (let word = 0; left > 0; word += 1) {
            const [address] = idawsAt(host, cda + word * 8, 1) as [number];
            const size = Math.min(left, block - (address % block));
            found.push(...((host.storage.read(address, size, 0) as Uint8Array) ?? []));
            left -= size;
          }
          if ((flags & (CC | CD)) === 0) break;
        }
        assert.deepEqual(found, expected);
        host.program.free();
        assert.equal(host.storage.used, 0);
        assert.equal(guest.pins.size, 0);
      },
    ),
    { numRuns: 60 },
  );
});

test("what the user's memory throws is the user's bad address", async () => {
  const guest = new Guest();
  guest.read = async () => {
    throw new Error("the socket is closed");
  };
  const error = await translate(setup(guest).program, orbOf({ cpa: 0x100 }));
  assert.ok(isKernelError(error, "EFAULT"));
  assert.match(error.message, /the socket is closed/);
});
