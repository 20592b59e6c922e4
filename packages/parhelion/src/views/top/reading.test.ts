import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { inOrder, topOrders } from "./order.js";
import { readingOf } from "./reading.js";
import { anySlices, hostStatus, sliceStatus } from "./reading.test.fixture.js";

test("rates are what has grown between two samples, by the time between them", () => {
  const before = {
    at: 1000,
    status: hostStatus([sliceStatus({ submits: 10, receivedBytes: 100, busyMs: 50 })]),
  };
  const now = {
    at: 3000,
    status: hostStatus([sliceStatus({ submits: 30, receivedBytes: 300, busyMs: 550 })]),
  };
  const { slices, guests, adapters } = readingOf(before, now);
  for (const of of [slices[0], guests[0]])
    assert.deepEqual([of?.submits, of?.bytes, of?.time], [10, 100, 0.25]);
  assert.equal(adapters[0]?.time, 0.25);
});

test("without an earlier sample, and for a slice that was not there, there are no rates", () => {
  const slice = sliceStatus({ uuid: "a", submits: 10 });
  const before = { at: 0, status: hostStatus([]) };
  for (const first of [null, before]) {
    const { slices } = readingOf(first, { at: 1000, status: hostStatus([slice]) });
    assert.deepEqual([slices[0]?.submits, slices[0]?.bytes, slices[0]?.time], [null, null, null]);
  }
});

test("a count that went back, and another host in the same place, give no rate", () => {
  const before = { at: 0, status: hostStatus([sliceStatus({ submits: 10 })]) };
  const fewer = { at: 1000, status: hostStatus([sliceStatus({ submits: 9 })]) };
  assert.equal(readingOf(before, fewer).slices[0]?.submits, null);
  const other = { at: 1000, status: hostStatus([sliceStatus({ submits: 20 })], 8) };
  assert.equal(readingOf(before, other).slices[0]?.submits, null);
});

test("a guest has what its slices have together", () => {
  const slices = [
    sliceStatus({ uuid: "a", guest: "g", used: 5, lostDevices: 1 }),
    sliceStatus({ uuid: "b", guest: "g", used: 7, lostDevices: 2 }),
    sliceStatus({ uuid: "c", guest: "h", used: 100, lostDevices: 4 }),
  ];
  const [guest] = readingOf(null, { at: 0, status: hostStatus(slices) }).guests;
  assert.equal(guest?.slices, 2);
  assert.equal(guest.memory?.used, 12);
  assert.equal(guest.lostDevices, 3);
});

test("an engine that was started once was not started again", () => {
  const restarts = [0, 1, 4].map(
    (starts) => readingOf(null, { at: 0, status: hostStatus([sliceStatus({ starts })]) }).slices[0]?.restarts,
  );
  assert.deepEqual(restarts, [0, 0, 3]);
});

test("every order is one of the same rows, with the largest first and the unknown last", () => {
  fc.assert(
    fc.property(anySlices, anySlices, fc.constantFrom(...topOrders), (first, second, order) => {
      const { slices } = readingOf(
        { at: 0, status: hostStatus(first) },
        {
          at: 1000,
          status: hostStatus([...second, ...first.filter((a) => !second.some((b) => a.uuid === b.uuid))]),
        },
      );
      const sorted = inOrder(slices, order);
      assert.deepEqual(new Set(sorted), new Set(slices));
      if (order !== "memory") return;
      const used = sorted.map(({ memory }) => memory?.used ?? -1);
      assert.deepEqual(
        used,
        used.toSorted((a, b) => b - a),
      );
    }),
  );
});
