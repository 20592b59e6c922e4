import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { brief, briefBytes, fit, percent } from "./cells.js";
import { topOrders } from "./order.js";
import { topPage } from "./page.js";
import { readingOf } from "./reading.js";
import { anySlices, hostStatus, sliceStatus } from "./reading.test.fixture.js";

const order = "time";

test("a page in 80 columns", () => {
  const slices = (busyMs: number) => [
    sliceStatus({ uuid: "0a1b2c3d-0", guest: "11112222", busyMs, submits: busyMs * 3, used: 300 * 2 ** 20 }),
    sliceStatus({
      uuid: "ffffffff-0",
      guest: "33334444",
      receivedBytes: busyMs * 5000,
      starts: 3,
      lostDevices: 2,
    }),
  ];
  const reading = readingOf(
    { at: 0, status: hostStatus(slices(0)) },
    { at: 1000, status: hostStatus(slices(625)) },
  );
  assert.deepEqual(topPage(reading, { order, columns: 80 }), [
    "host 7   2 slices, 2 guests",
    "adapter0  software  healthy  62.5% busy  300M/8.0G used  SwiftShader Device (Su…",
    "",
    "SLICE    TYPE    GUEST    ENGINE  TIME% USED/GRANT/LIMIT SUB/S  B/S LOST  RST",
    "0a1b2c3d quarter 11112222 ready    62.5   300M/512M/1.0G  1.9k    0    0    0",
    "ffffffff quarter 33334444 ready     0.0      0/512M/1.0G     0 3.0M    2    2",
    "",
    "GUEST    NAME      CONN   SL PROC TIME% USED/GRANT/LIMIT SUB/S  B/S LOST",
    "11112222 name of … local   1    0  62.5   300M/512M/1.0G  1.9k    0    0",
    "33334444 name of … local   1    0   0.0      0/512M/1.0G     0 3.0M    2",
  ]);
});

test("what is not known is a dash, and nothing is said to be none", () => {
  const { totals: _totals, memory: _memory, time: _time, ...silent } = sliceStatus({ guest: "" });
  const page = topPage(readingOf(null, { at: 0, status: hostStatus([silent]) }), { order, columns: 80 });
  assert.ok(
    page.includes("0a1b2c3d quarter -        ready       -                -     -    -    -    0"),
    page.join("\n"),
  );
  assert.ok(page.includes("no guests"));
  assert.ok(
    topPage(readingOf(null, { at: 0, status: hostStatus([]) }), { order, columns: 80 }).includes("no slices"),
  );
});

test("an adapter that is not healthy says why", () => {
  const status = hostStatus([]);
  const health = { ...status.adapters[0]?.health, state: "drained", reason: "its probe failed: no driver" };
  const page = topPage(
    readingOf(null, { at: 0, status: { ...status, adapters: [{ ...status.adapters[0], health }] } as never }),
    { order, columns: 80 },
  );
  assert.match(page[1] ?? "", /^adapter0 {2}software {2}drained/);
  assert.equal(page[2], "  its probe failed: no driver");
});

test("whatever the host says, no line is longer than the terminal, none moves its cursor, and tables are aligned", () => {
  fc.assert(
    fc.property(
      anySlices,
      anySlices,
      fc.constantFrom(...topOrders),
      fc.integer({ min: 1, max: 200 }),
      (first, second, order, columns) => {
        const reading = readingOf(
          { at: 0, status: hostStatus(first) },
          { at: 1000, status: hostStatus([...first, ...second]) },
        );
        for (const line of topPage(reading, { order, columns })) {
          assert.ok([...line].length <= columns, line);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
          assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f]/);
        }
      },
    ),
  );
});

test("numbers keep their width", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e17, noNaN: true }), (value) => {
      assert.ok(brief(value).length <= 4, brief(value));
      assert.ok(briefBytes(value).length <= 4, briefBytes(value));
      assert.ok(percent(value / 1e17).length <= 5);
    }),
  );
  assert.deepEqual([0, 7, 0.25, 999, 1000, 1234, 99_950, 1e6, null].map(brief), [
    "0",
    "7",
    "0.3",
    "999",
    "1.0k",
    "1.2k",
    "100k",
    "1.0M",
    "-",
  ]);
  assert.deepEqual([0, 1023, 1024, 1536, 2 ** 30].map(briefBytes), ["0", "1.0K", "1.0K", "1.5K", "1.0G"]);
  assert.deepEqual([0, 0.125, 0.9994, 0.9996, 1, 1.5, null].map(percent), [
    "0.0",
    "12.5",
    "99.9",
    "100",
    "100",
    "150",
    "-",
  ]);
  assert.deepEqual(
    [fit("abc", 5, "right"), fit("abc", 2, "left"), fit("abc", 0, "left")],
    ["  abc", "a…", ""],
  );
});
