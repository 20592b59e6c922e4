/** Two devices on one image, as when two machines have a disk: what one has written the other does not undo. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat } from "parhelion-buses";
import { attached } from "./attached.test.fixture.js";
import { cchh, count, defineExtent, locate, run, write } from "./channel.test.fixture.js";
import { Dasd3390 } from "./dasd-3390.js";

const fine = Dstat.CHN_END | Dstat.DEV_END;
const home = cchh(0, 9);

test("two that update records of one track at once both have written", async () => {
  const { image, device } = await attached();
  const other = new Dasd3390(image);
  const format = [
    defineExtent({ mask: 0xc0 }),
    locate({ operation: 0x03, count: 2, seek: home }),
    write(0x1d, count(0, 9, 1, 0, 512), new Uint8Array(512)),
    write(0x1d, count(0, 9, 2, 0, 512), new Uint8Array(512)),
  ];
  assert.equal((await run(device, format)).status, fine);
  const update = (record: number, value: number) => [
    defineExtent({ mask: 0x80 }),
    locate({ operation: 0x01, count: 1, seek: home, record }),
    write(0x85, new Uint8Array(512).fill(value)),
  ];
  const endings = await Promise.all([run(device, update(1, 0xaa)), run(other, update(2, 0xbb))]);
  assert.deepEqual(
    endings.map(({ status }) => status),
    [fine, fine],
  );
  const { records } = await image.read(9);
  assert.deepEqual(
    records.slice(1).map(({ data }) => data[0]),
    [0xaa, 0xbb],
  );
});

test("a record that another has formatted away meanwhile is not written, and the program is told", async () => {
  const { image, device } = await attached();
  const track = await image.read(9);
  const [zero] = track.records;
  assert.ok(zero !== undefined);
  const record = { ...zero, cylinder: 0, head: 9, record: 1, data: new Uint8Array(512) };
  await image.write(9, { ...track, records: [zero, record] });
  const other = { ...record, record: 7, data: new Uint8Array(100) };
  const path = { chpid: 0x10, mask: 0x80 };
  const orders = [defineExtent({ mask: 0x80 }), locate({ operation: 0x01, count: 1, seek: home, record: 1 })];
  let chained = false;
  const pathOf = (bytes: Uint8Array, meanwhile: () => Promise<void>) => {
    const receive = async (length: number) => {
      await meanwhile();
      return bytes.subarray(0, length);
    };
    return { accept: () => undefined, receive, receiveRest: receive, send: async () => 0 };
  };
  for (const order of orders) {
    if (!("write" in order)) continue;
    await device.execute(
      { code: order.code, kind: "control", chained, path },
      pathOf(order.write, async () => {}),
    );
    chained = true;
  }
  const ending = await device.execute(
    { code: 0x85, kind: "write", chained, path },
    pathOf(new Uint8Array(512).fill(1), () => image.write(9, { ...track, records: [zero, other] })),
  );
  assert.equal(ending.status, fine | Dstat.UNIT_CHECK);
  assert.deepEqual((await image.read(9)).records, [zero, other]);
});
