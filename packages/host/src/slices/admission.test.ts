import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refusalMessage } from "../limits.js";
import { admissionRefusal, availableInstances, type Claim, roomOf } from "./admission.js";
import { describeSlice, type SliceType, sliceTypes } from "./descriptor.js";
import { aCapacity, aWish } from "./descriptor.test.fixture.js";
import { memoryGrants } from "./grants.js";

const GiB = 2 ** 30;

function claim(slice: string, type: SliceType, capacity: number, usedBytes = 0): Claim {
  return { slice, descriptor: describeSlice({ type }, capacity), usedBytes };
}

/** Slices that came one after another, with what they use, which their grants allowed. */
const aHouse = fc
  .record({
    memoryBytes: aCapacity,
    slices: fc.integer({ min: 1, max: 12 }),
    wishes: fc.array(fc.tuple(aWish, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 14 }),
  })
  .map(({ memoryBytes, slices, wishes }) => {
    const capacity = { memoryBytes, slices };
    let claims: readonly Claim[] = [];
    for (const [i, [wish, part]] of wishes.entries()) {
      const wanted = { slice: `s${i}`, descriptor: describeSlice(wish, memoryBytes), usedBytes: 0 };
      if (admissionRefusal(capacity, claims, wanted) !== undefined) continue;
      const entered = [...claims, wanted];
      const grants = memoryGrants(memoryBytes, entered);
      claims = entered.map((one) =>
        one === wanted ? { ...one, usedBytes: Math.floor((grants.get(one.slice) ?? 0) * part) } : one,
      );
    }
    return { capacity, claims };
  });

test("grants are within the adapter, and each between its reservation and its limit", () => {
  fc.assert(
    fc.property(aHouse, ({ capacity, claims }) => {
      const grants = memoryGrants(capacity.memoryBytes, claims);
      let sum = 0;
      for (const { slice, descriptor, usedBytes } of claims) {
        const grant = grants.get(slice) ?? -1;
        sum += grant;
        const { reservedBytes, limitBytes } = descriptor.memory;
        assert.ok(grant >= reservedBytes, `${grant} is less than the ${reservedBytes} reserved`);
        assert.ok(grant <= limitBytes, `${grant} is more than the limit ${limitBytes}`);
        assert.ok(grant >= usedBytes, `${grant} is less than the ${usedBytes} in use`);
      }
      assert.ok(sum <= capacity.memoryBytes, `${sum} granted of ${capacity.memoryBytes}`);
    }),
  );
});

test("nothing is left in the pool that somebody may have, but for some bytes", () => {
  fc.assert(
    fc.property(aHouse, ({ capacity, claims }) => {
      const grants = memoryGrants(capacity.memoryBytes, claims);
      const sum = [...grants.values()].reduce((a, b) => a + b, 0);
      const hungry = claims.some(
        ({ slice, descriptor }) => (grants.get(slice) ?? 0) < descriptor.memory.limitBytes,
      );
      assert.ok(!hungry || capacity.memoryBytes - sum <= claims.length, `${capacity.memoryBytes - sum} left`);
    }),
  );
});

test("reservations and shares of admitted slices never exceed the adapter", () => {
  fc.assert(
    fc.property(aHouse, ({ capacity, claims }) => {
      const reserved = claims.reduce((sum, { descriptor }) => sum + descriptor.memory.reservedBytes, 0);
      const shares = claims.reduce((sum, { descriptor }) => sum + Math.round(descriptor.share * 1e6), 0);
      assert.ok(reserved <= capacity.memoryBytes);
      assert.ok(shares <= 1e6);
      assert.ok(claims.length <= capacity.slices);
    }),
  );
});

test("a type is admitted exactly as often as it is said to be available", () => {
  fc.assert(
    fc.property(aHouse, fc.constantFrom(...sliceTypes), ({ capacity, claims }, type) => {
      if (type === "custom") return;
      let now = claims;
      const available = availableInstances(capacity, claims, type);
      for (let i = 0; i < available; i++) {
        const wanted = claim(`n${i}`, type, capacity.memoryBytes);
        assert.equal(admissionRefusal(capacity, now, wanted), undefined, `${i} of ${available}`);
        now = [...now, wanted];
      }
      assert.notEqual(admissionRefusal(capacity, now, claim("more", type, capacity.memoryBytes)), undefined);
    }),
  );
});

test("a refusal says which limit, how much is taken, and what is left", () => {
  const capacity = { memoryBytes: 8 * GiB, slices: 9 };
  const claims = [claim("a", "half", 8 * GiB), claim("b", "quarter", 8 * GiB)];
  const refusal = admissionRefusal(capacity, claims, claim("c", "half", 8 * GiB));
  assert.deepEqual(
    [refusal?.rule, refusal?.limit, refusal?.used, refusal?.wanted],
    ["adapterMemory", 8 * GiB, 6 * GiB, 4 * GiB],
  );
  assert.match(refusal === undefined ? "" : refusalMessage(refusal), /2147483648 bytes of it are left/);
});

test("what a neighbour uses beyond its reservation is not reserved for another", () => {
  const capacity = { memoryBytes: 8 * GiB, slices: 9 };
  const claims = [claim("a", "shared", 8 * GiB, 5 * GiB)];
  assert.equal(roomOf(capacity, claims).memoryBytes, 3 * GiB);
  assert.equal(admissionRefusal(capacity, claims, claim("b", "half", 8 * GiB))?.rule, "adapterMemory");
  assert.equal(admissionRefusal(capacity, claims, claim("b", "quarter", 8 * GiB)), undefined);
});

test("the pool is divided by weight; what is in use is not taken away", () => {
  const shared = (slice: string, weight: number, usedBytes = 0): Claim => ({
    slice,
    descriptor: describeSlice({ type: "shared", weight }, 8 * GiB),
    usedBytes,
  });
  const grants = (...claims: Claim[]) => [...memoryGrants(8 * GiB, claims).values()];
  assert.deepEqual(grants(shared("a", 1)), [8 * GiB]);
  assert.deepEqual(grants(shared("a", 1), shared("b", 3)), [2 * GiB, 6 * GiB]);
  assert.deepEqual(grants(shared("a", 1, 5 * GiB), shared("b", 1)), [5 * GiB, 3 * GiB]);
  const half = claim("h", "half", 8 * GiB);
  assert.deepEqual(grants(half, shared("a", 1)), [4 * GiB, 4 * GiB]);
});
