/** What of slices is kept, and what the next host makes of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isKernelError } from "parhelion-core";
import { FailingTable } from "../store/store.test.fixture.js";
import { capacity, deviceOn, inHouse, one, refused, uuid } from "./slices.test.fixture.js";

test("what the disk does not take has not happened", () => {
  const table = new FailingTable();
  return inHouse(
    async (house) => {
      const guest = await house.guests.create();
      const [entry] = house.slices.values();
      assert.ok(entry);
      const before = JSON.stringify(entry.record);
      const attempts = [
        () => one(house, { wish: { type: "half" } }),
        () => house.slices.resize(entry.uuid, { weight: 3 }),
        () => house.slices.move(entry.uuid, { holder: null }),
        () => house.slices.remove(entry.uuid),
      ];
      for (const attempt of attempts) {
        table.fates.push("lost");
        await assert.rejects(attempt(), refused("store-failed"));
      }
      const byHand = (file: string, text: string) => house.system.sysfs.write(`/sys/bus/mdev/${file}`, text);
      table.fates.push("lost");
      await assert.rejects(byHand(`devices/${entry.uuid}/remove`, "1"), (error) =>
        isKernelError(error, "EIO"),
      );
      assert.deepEqual([house.slices.values().length, JSON.stringify(entry.record)], [1, before]);
      const kernel = await house.enter(guest.credential);
      await deviceOn(kernel);
      const [adapter] = house.adapters.values();
      assert.equal(adapter?.device?.ledger.room.memoryBytes, capacity);
      await kernel.connection.close();
    },
    { table },
  );
});

test("what is done by hand is kept before anybody sees it", () => {
  const table = new FailingTable();
  return inHouse(
    async (house) => {
      const { credential } = await house.guests.create();
      const kernel = await house.enter(credential);
      await deviceOn(kernel);
      const [entry] = house.slices.values();
      assert.ok(entry);
      const seen: unknown[] = [];
      table.writing = () =>
        seen.push([entry.slice !== null, house.engines.living.length, house.mdev.find(entry.uuid)?.use]);
      const byHand = (file: string, text: string) => house.system.sysfs.write(`/sys/bus/mdev/${file}`, text);
      await byHand("drivers/projected/unbind", entry.uuid);
      assert.deepEqual([seen.splice(0), entry.slice], [[[true, 1, null]], null]);
      await byHand("drivers/projected/bind", entry.uuid);
      assert.deepEqual([seen.splice(0), entry.slice !== null], [[[false, 0, null]], true]);
      await byHand(`devices/${entry.uuid}/remove`, "1");
      assert.deepEqual([seen, entry.slice], [[[true, 0, "projected"]], null]);
      await kernel.connection.close();
    },
    { table },
  );
});

test("the next host has the slices again, with what they had, held by whoever held them", async () => {
  const table = new FailingTable();
  const directories = new Set<string>();
  const made = { id: "", credential: "", generation: 0 };
  await inHouse(
    async (house) => {
      const guest = await house.guests.create({ slices: [{ type: "half", objects: 5 }] });
      await one(house, { wish: { type: "quarter" }, uuid });
      made.generation = Math.max(...house.slices.values().map(({ record }) => record.generation));
      Object.assign(made, { id: guest.id, credential: guest.credential });
    },
    { table, directories },
  );
  await inHouse(
    async (house) => {
      const [half] = house.slices.heldBy(made.id);
      assert.deepEqual([half?.record.descriptor.type, half?.record.descriptor.objects], ["half", 5]);
      assert.equal(house.slices.get(uuid).record.holder, null);
      for (const { record } of house.slices.values()) assert.ok(record.generation > made.generation);
      const kernel = await house.enter(made.credential);
      await deviceOn(kernel);
      await kernel.connection.close();
    },
    { table, directories },
  );
});

test("slices of an adapter that is not there wait for it", async () => {
  const table = new FailingTable();
  await inHouse(
    async (house) => {
      await one(house, { wish: { type: "full" }, uuid, adapter: "adapter1" });
    },
    { table, adapters: 2 },
  );
  await inHouse(
    async (house) => {
      const entry = house.slices.get(uuid);
      assert.deepEqual([entry.place, house.mdev.find(uuid)], [null, undefined]);
      await house.adapters.add({ wish: "null" }, "adapter1");
      assert.equal(house.mdev.find(uuid)?.parent?.name, "adapter1");
      await house.slices.remove(uuid);
    },
    { table },
  );
});
