/** What becomes of guests when kernels, hosts and disks come and go: in memory, on a clock that moves when told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VGPU_CHANNEL } from "parhelion-buses";
import { SimulatedTime } from "../adapters/simulated-time.test.fixture.js";
import { HostError } from "../host-error.js";
import { House, type HouseOptions } from "./house.test.fixture.js";

const orphanMs = 60_000;

async function inTime(
  run: (house: House, time: SimulatedTime) => Promise<void>,
  options: HouseOptions = {},
): Promise<void> {
  const time = new SimulatedTime();
  const house = new House(time.runtime, { orphanMs, ...options });
  await house.build();
  await run(house, time);
  await house.close();
  await time.advance(0);
  assert.equal(time.armed, 0, "somebody still waits");
  assert.deepEqual(
    time.logged.filter(({ level }) => level === "error"),
    [],
  );
}

const names = (house: House) => [...house.guests.values()].map(({ name }) => name);
const isFailure = (error: unknown) => error instanceof HostError && error.code === "store-failed";

test("a guest that is to be connected goes when no kernel has come, and a kept one stays", () =>
  inTime(async (house, time) => {
    await house.guests.create({ name: "kept" });
    await house.guests.create({ name: "connected", lifetime: "connected" });
    await time.advance(orphanMs - 1);
    assert.deepEqual(names(house), ["kept", "connected"]);
    await time.advance(1);
    assert.deepEqual(names(house), ["kept"]);
    assert.deepEqual([house.store.guests.length, house.store.slices.length], [1, 1]);
    assert.equal(house.directories.size, 1);
  }));

test("while a kernel is connected nobody is counted, and each absence counts from its own beginning", () =>
  inTime(async (house, time) => {
    const { credential } = await house.guests.create({ name: "it", lifetime: "connected" });
    for (const absence of [1, orphanMs - 1, orphanMs - 1]) {
      await time.advance(absence);
      const kernel = await house.enter(credential);
      await time.advance(10 * orphanMs);
      assert.deepEqual(names(house), ["it"]);
      await kernel.connection.close();
      await time.advance(0);
    }
    await time.advance(orphanMs);
    assert.deepEqual(names(house), []);
    assert.deepEqual(house.store.guests, []);
  }));

test("the next host has the guests and slices again, with higher generations, and its own patience", async () => {
  const hosts: House[] = [];
  await inTime(async (house, time) => {
    hosts.push(house);
    await house.guests.create({ name: "kept", slices: [{}, { type: "eighth" }] });
    await house.guests.create({ name: "connected", lifetime: "connected" });
    await time.advance(orphanMs - 1);
  });
  const [first] = hosts as [House];
  const { table, directories } = first;
  const before = first.store.slices;
  await inTime(
    async (house, time) => {
      assert.deepEqual(house.store.guests, first.store.guests);
      for (const [i, { generation, ...slice }] of house.store.slices.entries()) {
        const { generation: earlier, ...same } = before[i] as (typeof before)[0];
        assert.deepEqual(slice, same);
        assert.ok(generation > earlier);
      }
      assert.deepEqual(
        [...house.guests.values()].map(({ slices }) => [...slices].map(({ uuid, index }) => [uuid, index])),
        [
          [
            [before[0]?.uuid, 0],
            [before[1]?.uuid, 1],
          ],
          [[before[2]?.uuid, 0]],
        ],
      );
      await time.advance(orphanMs - 1);
      assert.deepEqual(names(house), ["kept", "connected"]);
      await time.advance(1);
      assert.deepEqual(names(house), ["kept"]);
    },
    { table, directories },
  );
});

test("on a full disk no guest is made and none goes; who was to go still works, and goes when there is room", () =>
  inTime(async (house, time) => {
    const { credential, id } = await house.guests.create({ name: "it", lifetime: "connected" });
    const [slice] = house.store.slices;
    house.table.fates.push("lost", "done-but-failed");
    await assert.rejects(house.guests.create({ name: "late" }), isFailure);
    assert.deepEqual([names(house), house.directories.size], [["it"], 1]);
    const kernel = await house.enter(credential);
    await assert.rejects(house.guests.remove(id), isFailure);
    assert.equal(kernel.devices(VGPU_CHANNEL).length, 1);
    assert.deepEqual(
      [...house.guests.values()].flatMap(({ slices }) => [...slices].map(({ uuid }) => uuid)),
      [slice?.uuid],
    );
    assert.equal(house.guests.byCredential(credential)?.connection !== undefined, true);
    await kernel.connection.close();
    await time.advance(0);
    house.table.fates.push("lost");
    await time.advance(orphanMs);
    assert.deepEqual(names(house), ["it"]);
    assert.ok(time.events().includes("guest.orphan-stays"));
    await (await house.enter(credential)).connection.close();
    await time.advance(0);
    await time.advance(orphanMs);
    assert.deepEqual([names(house), house.store.slices.length, house.directories.size], [[], 0, 0]);
  }));

test("a host that stops keeps its guests, takes no new ones and lets no kernel in", () =>
  inTime(async (house) => {
    const { credential } = await house.guests.create({ name: "it" });
    const kernel = await house.enter(credential);
    await house.close();
    assert.equal(kernel.connection.state, "closed");
    await assert.rejects(house.guests.create(), { code: "host-stopping" });
    await assert.rejects(house.enter(credential));
    assert.equal(house.store.guests.length, 1);
  }));
