import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { openMemoryStore } from "./open-store.js";
import { contentOf, FailingTable, type Fate, guestRecord, sliceRecord } from "./store.test.fixture.js";

const isFailure = (error: unknown) => error instanceof HostError && error.code === "store-failed";

test("a write that fails, whether it was done or not, changes nothing, and the next one is kept", async () => {
  for (const fate of ["lost", "done-but-failed"] as const) {
    const table = new FailingTable();
    const store = await openMemoryStore(createRuntime(), table);
    await store.change({ putSlices: [sliceRecord(1)] });
    const before = contentOf(store);
    table.fates.push(fate);
    await assert.rejects(
      store.change({ putGuests: [guestRecord(1)], putSlices: [sliceRecord(2)] }),
      isFailure,
    );
    assert.equal(contentOf(store), before);
    // A host that is killed now finds what it had.
    assert.equal(contentOf(await openMemoryStore(createRuntime(), table)), before);
    // A UUID that was refused was never seen by anybody.
    assert.equal(await store.wasUsed(sliceRecord(2).uuid), false);
    await store.change({ putSlices: [sliceRecord(2)] });
    assert.equal(store.slices.length, 2);
    await store.close();
  }
});

test("a disk that stays full refuses every change and keeps what there is; with room all goes on", async () => {
  const table = new FailingTable();
  const store = await openMemoryStore(createRuntime(), table);
  await store.change({ putGuests: [guestRecord(1)] });
  const before = contentOf(store);
  table.fates.push("done-but-failed");
  table.failedOpenings = 3;
  const removal = { removeGuests: [guestRecord(1).id] };
  await assert.rejects(store.change(removal), isFailure);
  await assert.rejects(store.wasUsed(sliceRecord(1).uuid), isFailure);
  await assert.rejects(store.change(removal), isFailure);
  assert.equal(contentOf(store), before);
  await store.change({ putGuests: [guestRecord(2)] });
  assert.equal(store.guests.length, 2);
  await store.close();
  assert.equal(contentOf(await openMemoryStore(createRuntime(), table)), contentOf(store));
});

test("whatever fails when: what was acknowledged is kept, what was refused is not, in memory and on the disk", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<Fate>("done", "lost", "done-but-failed"), { maxLength: 20 }),
      fc.array(fc.nat(2), { maxLength: 20 }),
      async (fates, openings) => {
        const table = new FailingTable();
        const store = await openMemoryStore(createRuntime(), table);
        table.fates.push(...fates);
        const expected: string[] = [];
        for (const [n, failedOpenings] of openings.entries()) {
          table.failedOpenings = failedOpenings;
          try {
            await store.change({ putGuests: [guestRecord(n)] });
            expected.push(guestRecord(n).id);
          } catch (error) {
            assert.ok(isFailure(error), String(error));
          }
          assert.deepEqual(
            store.guests.map(({ id }) => id),
            expected,
          );
        }
        table.failedOpenings = 0;
        table.fates.length = 0;
        await store.close();
        assert.equal(contentOf(await openMemoryStore(createRuntime(), table)), contentOf(store));
      },
    ),
  ));
