import assert from "node:assert/strict";
import { test } from "node:test";
import { VGPU_CHANNEL } from "parhelion-buses";
import { isKernelError } from "parhelion-core";
import { vgpuCommand } from "parhelion-protocol";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import { capacity, deviceOn, GiB, inHouse, one, refused, types, until, uuid } from "./slices.test.fixture.js";

test("a slice needs no guest: it stands in the tree, and its memory is taken", () =>
  inHouse(async (house) => {
    const entry = await one(house, { wish: { type: "half" } });
    const { sysfs } = house.system;
    assert.equal(await sysfs.read(`${types}/parhelion-half/available_instances`), "1\n");
    assert.equal(await sysfs.read(`/sys/devices/adapter0/${entry.uuid}/type`), "half\n");
    assert.equal(
      sysfs.readlink(`/sys/bus/mdev/devices/${entry.uuid}/mdev_type`).endsWith("parhelion-half"),
      true,
    );
    assert.deepEqual([entry.record.holder, entry.record.use, entry.slice], [null, "projected", null]);
    await assert.rejects(one(house, { wish: { type: "full" } }), refused("limit-reached", "adapterMemory"));
    assert.equal(house.slices.values().length, 1);
    await house.slices.remove(entry.uuid);
    await one(house, { wish: { type: "full" } });
    assert.deepEqual(
      house.store.slices.map(({ descriptor }) => descriptor["type"]),
      ["full"],
    );
  }));

test("writing to create and to remove makes and removes as an administrator does", () =>
  inHouse(async (house) => {
    const { sysfs } = house.system;
    await sysfs.write(`${types}/parhelion-quarter/create`, uuid);
    const { record } = house.slices.get(uuid);
    assert.deepEqual(
      [record.descriptor.type, record.adapter, record.use],
      ["quarter", "adapter0", "projected"],
    );
    assert.deepEqual(
      house.store.slices.map((kept) => kept.uuid),
      [uuid],
    );
    await assert.rejects(sysfs.write(`${types}/parhelion-full/create`, house.runtime.ids.uuid()), (error) =>
      isKernelError(error, "ENOSPC"),
    );
    await assert.rejects(sysfs.write(`${types}/parhelion-custom/create`, house.runtime.ids.uuid()), (error) =>
      isKernelError(error, "EINVAL"),
    );
    await sysfs.write(`/sys/devices/adapter0/${uuid}/remove`, "1");
    assert.deepEqual(house.store.slices, []);
    assert.throws(() => house.slices.get(uuid), refused("slice-unknown"));
    assert.equal(await sysfs.read(`${types}/parhelion-quarter/available_instances`), "4\n");
    await assert.rejects(one(house, { wish: {}, uuid }), refused("uuid-used"));
  }));

test("what a guest is given appears in it at once; what is taken from it is gone at once", () =>
  inHouse(async (house) => {
    const { id, credential } = await house.guests.create({ slices: [] });
    const kernel = await house.enter(credential);
    assert.equal(kernel.devices(VGPU_CHANNEL).length, 0);
    const entry = await one(house, { wish: { type: "eighth" }, holder: id });
    await until("the vGPU is there", () => kernel.devices(VGPU_CHANNEL).length === 1);
    await deviceOn(kernel);
    const [engine] = house.engines.living;
    assert.equal(engine?.quota?.memoryBytes, GiB);
    await house.slices.remove(entry.uuid);
    await until("the vGPU is gone", () => kernel.devices(VGPU_CHANNEL).length === 0);
    assert.deepEqual(house.engines.living, []);
    await kernel.connection.close();
  }));

test("who gets a slice gets a fresh engine under a generation that nobody had", () =>
  inHouse(async (house) => {
    const a = await house.guests.create({ slices: [{ type: "half" }] });
    const b = await house.guests.create({ slices: [] });
    const [first, second] = [await house.enter(a.credential), await house.enter(b.credential)];
    const { channel, process } = await deviceOn(first);
    const [entry] = house.slices.heldBy(a.id);
    assert.ok(entry);
    const { generation } = entry.record;
    await assert.rejects(
      house.slices.move(entry.uuid, { holder: b.id }, generation - 1),
      refused("slice-stale"),
    );
    await house.slices.move(entry.uuid, { holder: b.id }, generation);
    assert.ok(entry.record.generation > generation);
    await assert.rejects(
      channel.request(vgpuCommand.createDevice, { privateData: deviceRequest() }, { process }),
      (error) => isKernelError(error, "ENODEV"),
    );
    assert.deepEqual(house.engines.living, []);
    await until("the vGPU is there", () => second.devices(VGPU_CHANNEL).length === 1);
    await deviceOn(second);
    assert.deepEqual([house.engines.started.length, house.engines.living.length], [2, 1]);
    assert.equal(house.slices.heldBy(a.id).length, 0);
    await house.guests.remove(a.id);
    await house.slices.move(entry.uuid, { holder: null });
    assert.deepEqual([house.engines.living, entry.slice], [[], null]);
    for (const kernel of [first, second]) await kernel.connection.close();
  }));

test("two slices that are given to one guest at once have a queue socket each", () =>
  inHouse(async (house) => {
    const { id } = await house.guests.create({ slices: [{}] });
    const made = await house.slices.create([{ wish: {} }, { wish: {} }]);
    await Promise.all(made.map((entry) => house.slices.move(entry.uuid, { holder: id })));
    const paths = house.slices.values().map(({ slice }) => slice?.queuePath);
    assert.deepEqual(paths, [`g/${id}/q0`, `g/${id}/q1`, `g/${id}/q2`]);
  }));

test("a resize reaches the engines that run, the neighbour's too", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create({ slices: [{}, { memory: { limitBytes: GiB } }] });
    const kernel = await house.enter(credential);
    for (const index of [0, 1]) await deviceOn(kernel, index);
    const memory = () => house.engines.living.map(({ quota }) => quota?.memoryBytes);
    assert.deepEqual(memory(), [7 * GiB, GiB]);
    const [, custom] = house.slices.values();
    assert.ok(custom);
    await house.slices.resize(custom.uuid, { memory: { limitBytes: 3 * GiB }, objects: 17 });
    await until("the engines are told", () => house.engines.living[1]?.quota?.objects === 17);
    assert.deepEqual(memory(), [5 * GiB, 3 * GiB]);
    await assert.rejects(
      house.slices.resize(custom.uuid, { memory: { limitBytes: 9 * GiB } }),
      refused("limit-reached", "adapterMemory"),
    );
    assert.equal(house.slices.get(custom.uuid).record.descriptor.memory.limitBytes, 3 * GiB);
    await kernel.connection.close();
  }));

test("slices go with their adapter and come back with it, to whoever holds them", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create({ slices: [{ type: "quarter" }] });
    const kernel = await house.enter(credential);
    const [entry] = house.slices.values();
    assert.ok(entry);
    const { generation } = entry.record;
    await deviceOn(kernel);
    await house.adapters.remove("adapter0");
    assert.deepEqual([house.engines.living, entry.place, entry.slice], [[], null, null]);
    assert.equal(house.store.slices.length, 1);
    await until("the vGPU is gone", () => kernel.devices(VGPU_CHANNEL).length === 0);
    await assert.rejects(one(house, { wish: {} }), refused("adapter-gone"));
    await assert.rejects(house.slices.resize(entry.uuid, { weight: 2 }), refused("adapter-gone"));
    await house.adapters.add(undefined, "adapter0");
    await until("the vGPU is back", () => kernel.devices(VGPU_CHANNEL).length === 1);
    assert.ok(entry.record.generation > generation);
    await deviceOn(kernel);
    await kernel.connection.close();
  }));

test("a slice moves to another adapter, and is a part of that one", () =>
  inHouse(
    async (house) => {
      const { id, credential } = await house.guests.create({ slices: [] });
      const entry = await one(house, { wish: { type: "half" }, holder: id, adapter: "adapter0" });
      const kernel = await house.enter(credential);
      await deviceOn(kernel);
      await house.slices.move(entry.uuid, { adapter: "adapter1" });
      const left = house.adapters.values().map(({ device }) => device?.ledger.room.memoryBytes);
      assert.deepEqual(left, [capacity, capacity / 2]);
      await until("the new vGPU is there", () => kernel.devices(VGPU_CHANNEL).length === 1);
      await deviceOn(kernel);
      await assert.rejects(
        house.slices.move(entry.uuid, { adapter: "adapter7" }),
        refused("adapter-unknown"),
      );
      await kernel.connection.close();
    },
    { adapters: 2 },
  ));

test("without an adapter's name a slice goes where there is room, and where there are fewest", () =>
  inHouse(
    async (house) => {
      const where = async (type: "full" | "shared") => (await one(house, { wish: { type } })).record.adapter;
      assert.deepEqual([await where("full"), await where("full")], ["adapter0", "adapter1"]);
      await assert.rejects(where("full"), refused("limit-reached"));
      const shared = [await where("shared"), await where("shared")];
      assert.deepEqual(shared.sort(), ["adapter0", "adapter1"]);
    },
    { adapters: 2 },
  ));

test("binding by hand changes the use, and what is kept of it", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create();
    const kernel = await house.enter(credential);
    const [entry] = house.slices.values();
    assert.ok(entry);
    const { sysfs } = house.system;
    const driver = (use: string, file: string) =>
      sysfs.write(`/sys/bus/mdev/drivers/${use}/${file}`, entry.uuid);
    await deviceOn(kernel);
    await driver("projected", "unbind");
    assert.deepEqual([entry.record.use, entry.slice, house.engines.living], [null, null, []]);
    assert.equal(house.store.slices[0]?.use, null);
    await until("the vGPU is gone", () => kernel.devices(VGPU_CHANNEL).length === 0);
    await driver("local", "bind");
    assert.equal(entry.record.use, "local");
    assert.deepEqual([...house.directories].includes(`local/${entry.uuid}`), true);
    assert.notEqual(entry.slice, null);
    await driver("local", "unbind");
    await driver("projected", "bind");
    await until("the vGPU is back", () => kernel.devices(VGPU_CHANNEL).length === 1);
    assert.equal(house.store.slices[0]?.use, "projected");
    await kernel.connection.close();
  }));

test("a slice whose local node can't be served is not made, and one that nobody uses can be", () =>
  inHouse(
    async (house) => {
      house.openLocalNode = async () => {
        throw new Error("no kernel today");
      };
      await assert.rejects(one(house, { wish: {}, use: "local", uuid }), refused("local-node-failed"));
      assert.deepEqual([house.slices.values(), house.store.slices], [[], []]);
      const entry = await one(house, { wish: {}, use: null });
      assert.equal(entry.record.use, null);
    },
    {},
    ["probe.failed"],
  ));

test("more processes than the slice allows are refused by its own limit", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create({ slices: [{ nodeOpens: 1 }] });
    const kernel = await house.enter(credential);
    const { channel, process } = await deviceOn(kernel);
    const asked = { privateData: deviceRequest() };
    await channel.request(vgpuCommand.createDevice, asked, { process });
    const other = await kernel.newProcess();
    await assert.rejects(
      channel.request(vgpuCommand.createDevice, asked, { process: other }),
      /nodeOpens is 1/,
    );
    await kernel.connection.close();
  }));
