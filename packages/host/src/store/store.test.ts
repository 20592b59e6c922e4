import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { HostError, type HostErrorCode } from "../host-error.js";
import { MemoryTable } from "./memory-table.js";
import { openMemoryStore, openStore } from "./open-store.js";
import type { HostStore, StoreChange } from "./store.js";
import { contentOf, guestRecord, inStateDirectory, sliceRecord, uuidOf } from "./store.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

/** Opens the store that the one before it left. */
type Open = () => Promise<HostStore>;

const places: Readonly<Record<string, (run: (open: Open) => Promise<void>) => Promise<void>>> = {
  "in memory": (run) => {
    const table = new MemoryTable();
    return run(() => openMemoryStore(createRuntime(), table));
  },
  "on LevelDB": (run) => inStateDirectory((directory) => run(() => openStore(createRuntime(), directory))),
};

function refusal(code: HostErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof HostError && error.code === code;
}

for (const [place, within] of Object.entries(places)) {
  test(`${place}: what was put is there, in its order, also after the store was opened again`, limit, () =>
    within(async (open) => {
      let store = await open();
      assert.deepEqual([store.state, contentOf(store)], ["blank", '{"guests":[],"slices":[]}']);
      const guests = [guestRecord(9), guestRecord(3, { lifetime: "connected", name: 'ü"\ud800' })];
      const slices = [
        sliceRecord(8, { holder: guests[0]?.id ?? null, use: "projected", index: 3 }),
        sliceRecord(2, { descriptor: { type: "custom", memory: { limitBytes: 5 } } }),
      ];
      await store.change({ putGuests: guests, putSlices: slices });
      await store.change({ putGuests: [guestRecord(1)] });
      for (const again of [false, true]) {
        if (again) {
          await store.close();
          store = await open();
        }
        assert.equal(store.state, "written");
        assert.deepEqual(store.guests, [...guests, guestRecord(1)]);
        assert.deepEqual(store.slices, slices);
      }
      const renamed = guestRecord(9, { name: "renamed" });
      await store.change({ putGuests: [renamed], removeSlices: [uuidOf(2)], removeGuests: ["00000003"] });
      await store.close();
      store = await open();
      assert.deepEqual([store.guests, store.slices], [[renamed, guestRecord(1)], [slices[0]]]);
      await store.close();
    }),
  );

  test(`${place}: generations only rise, over removals and restarts`, limit, () =>
    within(async (open) => {
      let store = await open();
      assert.deepEqual([store.nextGeneration(), store.nextGeneration()], [1, 2]);
      await store.change({ putSlices: [sliceRecord(1, { generation: 2 })] });
      await store.change({ putSlices: [sliceRecord(1, { generation: store.nextGeneration() })] });
      await store.change({ removeSlices: [uuidOf(1)] });
      await store.close();
      store = await open();
      assert.equal(store.nextGeneration(), 4);
      await store.close();
    }),
  );

  test(`${place}: a UUID that was used is refused for ever`, limit, () =>
    within(async (open) => {
      let store = await open();
      assert.equal(await store.wasUsed(uuidOf(1)), false);
      await store.change({ putSlices: [sliceRecord(1)] });
      assert.equal(await store.wasUsed(uuidOf(1)), true);
      await store.change({ removeSlices: [uuidOf(1)] });
      for (const again of [false, true]) {
        if (again) {
          await store.close();
          store = await open();
        }
        assert.equal(await store.wasUsed(uuidOf(1)), true);
        await assert.rejects(store.change({ putSlices: [sliceRecord(1)] }), refusal("uuid-used"));
        const removed = { removeSlices: [uuidOf(5)], putSlices: [sliceRecord(5)] };
        if (!again) await store.change(removed);
        assert.equal(store.slices.length, 1);
      }
      await store.close();
    }),
  );

  test(`${place}: what contradicts itself, or could not be read again, is not kept`, limit, () =>
    within(async (open) => {
      let store = await open();
      await store.change({
        putGuests: [guestRecord(1)],
        putSlices: [sliceRecord(1, { holder: "00000001" })],
      });
      const before = contentOf(store);
      const wrong: readonly StoreChange[] = [
        { removeGuests: ["00000001"] },
        { putSlices: [sliceRecord(2, { holder: "00000002" })] },
        { putGuests: [guestRecord(3), guestRecord(4, { id: "x" })] },
        { putSlices: [sliceRecord(3, { generation: -1 })] },
        { putSlices: [sliceRecord(3, { uuid: uuidOf(3).replace("4000", "400A") })] },
        { putSlices: [sliceRecord(3, { adapter: "" })] },
      ];
      for (const change of wrong) await assert.rejects(store.change(change), Error);
      assert.equal(contentOf(store), before);
      await store.close();
      store = await open();
      assert.equal(contentOf(store), before);
      await store.close();
    }),
  );

  test(
    `${place}: changes that are asked for at once are kept in that order, and the end waits for none`,
    limit,
    () =>
      within(async (open) => {
        let store = await open();
        const kept = [1, 2, 3].map((n) => store.change({ putGuests: [guestRecord(1, { name: `${n}` })] }));
        await Promise.all(kept);
        assert.deepEqual(store.guests, [guestRecord(1, { name: "3" })]);
        const late = store.change({ putGuests: [guestRecord(2)] });
        const settled = late.then(
          () => "kept",
          (error: HostError) => error.code,
        );
        await Promise.all([store.close(), store.close()]);
        await assert.rejects(store.change({}), refusal("host-stopping"));
        const outcome = await settled;
        store = await open();
        assert.equal(outcome, store.guests.length === 2 ? "kept" : "host-stopping");
        await store.close();
      }),
  );
}

/** Any change that does not contradict itself. */
const someChange: fc.Arbitrary<StoreChange> = fc.record({
  putGuests: fc.array(
    fc.record({ n: fc.nat(3), name: fc.string() }).map(({ n, name }) => guestRecord(n, { name })),
  ),
  removeGuests: fc.array(fc.nat(5).map((n) => guestRecord(n + 10).id)),
  putSlices: fc.uniqueArray(
    fc.nat(6).map((n) => sliceRecord(n)),
    { selector: ({ uuid }) => uuid },
  ),
  removeSlices: fc.array(fc.nat(6).map(uuidOf)),
});

test("both stores do the same with the same changes", limit, () =>
  fc.assert(
    fc.asyncProperty(fc.array(someChange, { maxLength: 8 }), async (changes) => {
      const outcomes: string[] = [];
      for (const within of Object.values(places)) {
        await within(async (open) => {
          const seen: string[] = [];
          for (const change of changes) {
            // Opened anew for each change: what is kept is all that counts.
            const store = await open();
            const outcome = await store.change(change).then(
              () => "kept",
              (error: HostError) => error.code,
            );
            seen.push(outcome, contentOf(store), `${store.nextGeneration()}`);
            await store.close();
          }
          outcomes.push(seen.join("\n"));
        });
      }
      assert.equal(outcomes[0], outcomes[1]);
    }),
    { numRuns: 10 },
  ),
);
