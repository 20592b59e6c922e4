import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { describeSlice, type SliceWish } from "./descriptor.js";
import { aWish } from "./descriptor.test.fixture.js";
import { AdapterLedger } from "./ledger.js";

const GiB = 2 ** 30;
const memoryBytes = 8 * GiB;

/** A ledger, and the grants as they were told. */
class Book {
  readonly told = new Map<string, number>();
  readonly ledger = new AdapterLedger(
    createRuntime(),
    "adapter0",
    { memoryBytes, slices: 6 },
    (slice, bytes) => this.told.set(slice, bytes),
  );

  enter(slice: string, wish: SliceWish): void {
    this.ledger.enter(slice, describeSlice(wish, memoryBytes));
  }

  may(step: () => void): "done" | "refused" {
    const before = this.view();
    try {
      step();
      return "done";
    } catch (error) {
      assert.ok(error instanceof HostError && error.code === "limit-reached", String(error));
      assert.deepEqual(this.view(), before, "a refusal has changed something");
      return "refused";
    }
  }

  view(): unknown {
    const { ledger, told } = this;
    return [ledger.room, ledger.size, [...told].map(([slice]) => [slice, ledger.grantOf(slice)])];
  }
}

test("a slice that comes makes the others' grants smaller, and one that goes makes them larger", () => {
  const book = new Book();
  book.enter("a", {});
  assert.equal(book.told.get("a"), 8 * GiB);
  book.enter("b", { type: "half" });
  assert.deepEqual([book.told.get("a"), book.told.get("b")], [4 * GiB, 4 * GiB]);
  book.ledger.leave("b");
  assert.equal(book.told.get("a"), 8 * GiB);
});

test("a resize holds what it needs until it is settled either way", () => {
  const book = new Book();
  book.enter("a", { memory: { limitBytes: 2 * GiB } });
  const large = describeSlice({ memory: { limitBytes: 6 * GiB } }, memoryBytes);
  book.ledger.prepare("a", large);
  assert.equal(book.ledger.room.memoryBytes, 2 * GiB);
  assert.equal(book.told.get("a"), 2 * GiB);
  assert.equal(
    book.may(() => book.enter("b", { type: "half" })),
    "refused",
  );
  book.ledger.settle("a");
  assert.equal(book.ledger.room.memoryBytes, 6 * GiB);
  book.ledger.prepare("a", large);
  book.ledger.settle("a", large);
  assert.deepEqual([book.ledger.room.memoryBytes, book.told.get("a")], [2 * GiB, 6 * GiB]);
});

test("a limit below what is in use is refused", () => {
  const book = new Book();
  book.enter("a", {});
  book.ledger.uses("a", 3 * GiB);
  const small = describeSlice({ type: "shared", memory: { limitBytes: 2 * GiB } }, memoryBytes);
  assert.equal(
    book.may(() => book.ledger.prepare("a", small)),
    "refused",
  );
});

test("who uses more than his part gives it back as he frees it", () => {
  const book = new Book();
  book.enter("a", {});
  book.ledger.uses("a", 6 * GiB);
  book.enter("b", {});
  assert.deepEqual([book.told.get("a"), book.told.get("b")], [6 * GiB, 2 * GiB]);
  book.ledger.uses("a", 5 * GiB);
  assert.deepEqual([book.told.get("a"), book.told.get("b")], [5 * GiB, 3 * GiB]);
  book.ledger.uses("a", 0);
  assert.deepEqual([book.told.get("a"), book.told.get("b")], [4 * GiB, 4 * GiB]);
});

type Step =
  | { readonly op: "enter" | "prepare"; readonly slice: string; readonly wish: SliceWish }
  | { readonly op: "leave" | "settle" | "abort"; readonly slice: string }
  | { readonly op: "uses"; readonly slice: string; readonly part: number };

const aSlice = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constant("enter" as const), slice: aSlice, wish: aWish }),
  fc.record({ op: fc.constant("prepare" as const), slice: aSlice, wish: aWish }),
  fc.record({ op: fc.constantFrom("leave" as const, "settle" as const, "abort" as const), slice: aSlice }),
  fc.record({
    op: fc.constant("uses" as const),
    slice: aSlice,
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
);

test("whatever is done in whatever order, the grants told are within the adapter, and refusals change nothing", () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 60 }), (steps) => {
      const book = new Book();
      const { ledger, told } = book;
      const there = new Map<string, SliceWish>();
      const prepared = new Map<string, SliceWish>();
      for (const step of steps) {
        const { op, slice } = step;
        if (op === "enter") {
          if (there.has(slice)) continue;
          if (book.may(() => book.enter(slice, step.wish)) === "done") there.set(slice, step.wish);
        } else if (!there.has(slice)) continue;
        else if (op === "prepare") {
          const descriptor = describeSlice(step.wish, memoryBytes);
          if (prepared.has(slice)) continue;
          if (book.may(() => ledger.prepare(slice, descriptor)) === "done") prepared.set(slice, step.wish);
        } else if (op === "uses") ledger.uses(slice, Math.floor(ledger.grantOf(slice) * step.part));
        else if (op === "leave") {
          ledger.leave(slice);
          there.delete(slice);
          prepared.delete(slice);
          told.delete(slice);
        } else {
          const wish = prepared.get(slice);
          ledger.settle(
            slice,
            op === "abort" || wish === undefined ? undefined : describeSlice(wish, memoryBytes),
          );
          if (op === "settle" && wish !== undefined) there.set(slice, wish);
          prepared.delete(slice);
        }
        let sum = 0;
        for (const [name, wish] of there) {
          const { reservedBytes, limitBytes } = describeSlice(wish, memoryBytes).memory;
          const grant = told.get(name) ?? -1;
          assert.equal(grant, ledger.grantOf(name), "a grant was not told");
          assert.ok(
            grant >= reservedBytes && grant <= limitBytes,
            `${grant} of ${reservedBytes}-${limitBytes}`,
          );
          sum += grant;
        }
        assert.ok(sum <= memoryBytes, `${sum} granted of ${memoryBytes}`);
      }
    }),
    { numRuns: 300 },
  );
});
