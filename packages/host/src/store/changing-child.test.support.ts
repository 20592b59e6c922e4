/**
 * A process that changes a store in a loop and says after each change that it is kept, until it is killed. What it changes follows from
 * the number of the change alone, so that whoever reads the store afterwards can tell how far it came.
 */
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { openStore } from "./open-store.js";
import type { StoreChange } from "./store.js";
import { contentOf, guestRecord, sliceRecord, uuidOf } from "./store.test.fixture.js";

/** The change with this number, from 1. Names grow to half a block of the log, so that some changes span blocks. */
export function changeNumber(n: number): StoreChange {
  const guest = guestRecord(n % 5, { name: `${n}`.padStart((n * 7919) % 16_384, ".") });
  return {
    putGuests: [guest],
    putSlices: [sliceRecord(2 * n, { holder: guest.id }), sliceRecord(2 * n + 1)],
    removeSlices: [uuidOf(2 * (n - 3)), uuidOf(2 * (n - 2) + 1)],
  };
}

const [, , directory, first] = process.argv;
if (process.env["STORE_CHILD"] === "changes") {
  const store = await openStore(createRuntime(), directory as string);
  for (let n = Number(first); ; n++) {
    await store.change(changeNumber(n));
    process.stdout.write(`${n}\n`);
  }
}
if (process.env["STORE_CHILD"] === "limited") {
  // The limit on a file's size stands for a full disk: the system refuses in the middle of a write.
  process.on("SIGXFSZ", () => undefined);
  const store = await openStore(createRuntime(), directory as string);
  const expected: string[] = [];
  const outcomes: string[] = [];
  for (let n = 0; n < 60; n++) {
    // One in ten fits in no file.
    const name = "x".repeat(n % 10 === 5 ? 200_000 : 3000);
    const guest = guestRecord(n, { name });
    try {
      await store.change({ putGuests: [guest] });
      expected.push(guest.id);
      outcomes.push("kept");
    } catch (error) {
      outcomes.push(error instanceof HostError ? error.code : String(error));
    }
    if (store.guests.map(({ id }) => id).join() !== expected.join()) outcomes.push("not what was kept");
  }
  const before = contentOf(store);
  await store.close();
  const again = await openStore(createRuntime(), directory as string);
  process.stdout.write(JSON.stringify({ outcomes, same: contentOf(again) === before }));
  await again.close();
}
