import assert from "node:assert/strict";
import { test } from "node:test";
import { CcwFlag } from "parhelion-buses";
import { StorageFault } from "../../storage/storage.js";
import { Guest } from "./guest.test.fixture.js";
import { ccwAt, idawsAt, translated } from "./translated.test.fixture.js";

const { CC, CD, IDA, SKIP } = CcwFlag;
const write = 0x05;
const read = 0x06;
const nop = 0x03;
const tic = 0x08;

test("where no data moves nothing of the guest is pinned, nor reached", async () => {
  const guest = new Guest();
  guest.put(
    0x100,
    1,
    { cmd: read, flags: CC, count: 0, cda: 0x2000 },
    { cmd: read, flags: CC | SKIP, count: 5000, cda: 0x3001 },
    { cmd: 0x04, flags: CC | SKIP, count: 8, cda: 0x7fff_0000 },
    { cmd: nop, count: 9, cda: 0x7fff_0000 },
  );
  const host = await translated(guest, { cpa: 0x100, c64: 1 });
  assert.equal(guest.pins.size, 0);
  const [head, tail] = idawsAt(host, ccwAt(host, host.orb.cpa + 8).cda, 2) as [number, number];
  assert.deepEqual([head % 4096, tail % 4096], [1, 0]);
  for (const address of [head, tail]) host.storage.write(address, Uint8Array.of(0xff), 0);
  assert.ok(guest.bytes.subarray(0x2000).every((byte) => byte === 0));
});

test("writing with the skip flag does move data", async () => {
  const guest = new Guest();
  guest.put(0x100, 1, { cmd: write, flags: SKIP, count: 8, cda: 0x2000 });
  await translated(guest, { cpa: 0x100 });
  assert.equal(guest.pins.size, 1);
});

test("where the channel can come by two ways into data chaining, data moves both ways", async () => {
  const search = 0x31;
  const ways = {
    "over the CCW before it, which a search has it skip": [
      { cmd: search, flags: CC, count: 5, cda: 0x1000 },
      { cmd: write, flags: CD, count: 8, cda: 0x2000 },
      { cmd: read, count: 8, cda: 0x3000 },
    ],
    "by a transfer that follows a command": [
      { cmd: nop, flags: CC, count: 1, cda: 0x1000 },
      { cmd: search, flags: CD, count: 3, cda: 0x2000 },
      { cmd: read, flags: CC, count: 8, cda: 0x3000 },
      { cmd: tic, cda: 0x110 },
    ],
  };
  for (const [way, ccws] of Object.entries(ways)) {
    const guest = new Guest();
    guest.put(0x100, 1, ...ccws);
    const host = await translated(guest, { cpa: 0x100 });
    assert.equal(guest.uses.get(0x2000), "read", way);
    assert.equal(guest.uses.get(0x3000), "read-write", way);
    host.program.free();
  }
});

test("a transfer to where each command begins has data move one way only", async () => {
  const guest = new Guest();
  guest.put(
    0x100,
    1,
    { cmd: 0x31, flags: CC, count: 5, cda: 0x1000 },
    { cmd: tic, cda: 0x100 },
    { cmd: write, flags: CD, count: 8, cda: 0x2000 },
    { cmd: read, flags: CC, count: 8, cda: 0x3000 },
    { cmd: read, count: 8, cda: 0x4000 },
  );
  await translated(guest, { cpa: 0x100 });
  assert.deepEqual(
    [0x1000, 0x2000, 0x3000, 0x4000].map((page) => guest.uses.get(page)),
    ["read", "read", "read", "write"],
  );
});

test("what is pinned for reading no device writes, and it is told where it was kept from it", async () => {
  const guest = new Guest();
  guest.put(0x100, 1, { cmd: write, count: 8, cda: 0x2000 });
  const host = await translated(guest, { cpa: 0x100, c64: 1 });
  const [there] = idawsAt(host, ccwAt(host, host.orb.cpa).cda, 1) as [number];
  assert.throws(
    () => host.storage.write(there, Uint8Array.of(1), 0),
    (error) => error instanceof StorageFault && error.code === "protected" && error.address === there,
  );
  assert.equal(guest.bytes[0x2000], 0);
});

test("memory that was taken away is missing at the machine's address", async () => {
  for (const view of ["at hand", "asked for"] as const) {
    const guest = new Guest();
    guest.put(0x100, 1, { cmd: write, count: 8, cda: 0x2000 });
    const pin = guest.pin.bind(guest);
    const taken = () => {
      throw new Error("taken away");
    };
    guest.pin = (...of) => ({
      ...pin(...of),
      view: view === "at hand" ? taken : () => null,
      read: async () => taken(),
    });
    const host = await translated(guest, { cpa: 0x100, c64: 1 });
    const [there] = idawsAt(host, ccwAt(host, host.orb.cpa).cda, 1) as [number];
    await assert.rejects(
      async () => host.storage.read(there, 1, 0),
      (error) => error instanceof StorageFault && error.code === "unavailable" && error.address === there,
    );
  }
});

test("a list of IDAWs that the guest changes while it is read does not reach beyond its copy", async () => {
  const guest = new Guest();
  const list = 0x80;
  guest.put(
    0x100,
    1,
    { cmd: write, flags: IDA | CC, count: 4096, cda: list },
    { cmd: read, count: 8, cda: 0x5000 },
  );
  guest.long(list, 0x2000);
  guest.long(list + 8, 0x3000);
  const read0 = guest.read.bind(guest);
  guest.read = async (address, length) => {
    const bytes = await read0(address, length);
    // One byte later than it said before: now there is a second block.
    if (address === BigInt(list)) guest.long(list, 0x2fff);
    return bytes;
  };
  const host = await translated(guest, { cpa: 0x100, c64: 1 });
  const [there] = idawsAt(host, ccwAt(host, host.orb.cpa).cda, 1) as [number];
  assert.equal(there % 4096, 0);
  assert.deepEqual([...guest.uses.keys()], [0x2000, 0x5000]);
});
