/** Slices in the hands of a virtual machine monitor: bound by hand, used by doorbell, taken away. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime, isKernelError, type LogRecord } from "parhelion-core";
import { guestCommand, vgpuCommand } from "parhelion-protocol";
import { vfioDeviceOf } from "parhelion-vfio";
import { SimulatedTime } from "../adapters/simulated-time.test.fixture.js";
import { House } from "../guests/house.test.fixture.js";
import { HostError } from "../host-error.js";
import type { SliceEntry } from "../slices/slice-entry.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import { DoorbellDriver } from "./doorbell.test.fixture.js";
import type { VfioServing } from "./vfio-serving.js";

/** @param expected what is logged at warn or above */
async function inHouse(
  run: (house: House) => Promise<void>,
  expected: readonly string[] = [],
): Promise<void> {
  const log: LogRecord[] = [];
  const house = new House(createRuntime({ patienceMs: 5000, log: (record) => log.push(record) }), {
    backOff: { firstMs: 0, mostMs: 0 },
    vfio: "there",
  });
  await house.build();
  await run(house);
  await house.close();
  assert.deepEqual(house.engines.living, []);
  assert.deepEqual(
    [...house.directories].filter((directory) => directory.startsWith("vfio/")),
    [],
  );
  assert.deepEqual(
    log.filter(({ level }) => level === "error" || level === "warn").map(({ event }) => event),
    expected,
  );
}

async function create(house: House): Promise<SliceEntry> {
  const [entry] = await house.slices.create([{ wish: { type: "half" }, use: "vfio" }]);
  assert.ok(entry);
  return entry;
}

function nodeOf(house: House, uuid: string): string {
  const mdev = house.mdev.find(uuid);
  assert.ok(mdev);
  const name = vfioDeviceOf(mdev)?.name;
  assert.ok(name);
  return name;
}

const enodev = (error: unknown): boolean => isKernelError(error, "ENODEV");

test("the doorbell reaches the slice's engine, and what the engine says comes back as a notice", () =>
  inHouse(
    async (house) => {
      const entry = await create(house);
      const node = nodeOf(house, entry.uuid);
      assert.equal(house.system.sysfs.readlink(`/sys/class/vfio-dev/${node}`).includes(entry.uuid), true);
      const driver = await DoorbellDriver.open(house.system, node);
      const info = await driver.ask(vgpuCommand.getInternalAdapterInfo, {});
      assert.deepEqual(info.wgslLanguageFeatures, []);
      const { process, device } = await driver.createDevice();
      const [engine] = house.engines.living;
      assert.ok(engine);
      assert.deepEqual([engine.devices.size, entry.slice?.devices.size], [1, 1]);
      const { context } = await driver.ask(vgpuCommand.createContextVirtual, { device }, process);
      const queue = await driver.ask(vgpuCommand.createHwQueue, { context }, process);
      assert.equal(queue.endpoint, entry.slice?.queuePath);
      await assert.rejects(
        driver.ask(vgpuCommand.createContextVirtual, { device: 999 }, process),
        /^Error: status c000/,
      );
      await assert.rejects(
        driver.ask(vgpuCommand.createDevice, { privateData: Uint8Array.of(1) }, process),
        /not UTF-8 JSON/,
      );
      engine.kill();
      for (;;) {
        const { type, body } = await driver.notice();
        if (type !== guestCommand.deviceLost.type) continue;
        const lost = guestCommand.deviceLost.body.decode(body);
        assert.equal(lost.device, device);
        break;
      }
      await driver.createDevice();
      await driver.device.close();
      assert.equal(entry.slice?.devices.size, 0, "what it had goes with it");
    },
    ["engine.failed"],
  ));

test("bound by hand a slice gets another use, and whoever had it before is cut off", () =>
  inHouse(
    async (house) => {
      const { sysfs } = house.system;
      const entry = await create(house);
      const { uuid } = entry;
      const driver = await DoorbellDriver.open(house.system, nodeOf(house, uuid));
      await driver.createDevice();
      const { generation } = entry.record;
      await sysfs.write("/sys/bus/mdev/drivers/vfio/unbind", uuid);
      assert.deepEqual([entry.record.use, entry.slice, house.engines.living.length], [null, null, 0]);
      await assert.rejects(driver.register(0), enodev);
      await sysfs.write("/sys/bus/mdev/drivers/projected/bind", uuid);
      assert.equal(entry.record.use, "projected");
      await sysfs.write("/sys/bus/mdev/drivers/projected/unbind", uuid);
      await sysfs.write("/sys/bus/mdev/drivers/vfio/bind", uuid);
      assert.equal(entry.record.use, "vfio");
      assert.ok(entry.record.generation > generation);
      // The old file stays what it is, whatever has the slice now.
      await assert.rejects(driver.register(0), enodev);
      await driver.device.close();
      const next = await DoorbellDriver.open(house.system, nodeOf(house, uuid));
      await next.createDevice();
      await house.slices.remove(uuid);
      await assert.rejects(next.register(0), enodev);
      await next.device.close();
    },
    ["vfio.revoked", "vfio.revoked"],
  ));

test("a user that never lets go keeps neither an adapter nor the host from going", () =>
  inHouse(
    async (house) => {
      const entry = await create(house);
      const driver = await DoorbellDriver.open(house.system, nodeOf(house, entry.uuid));
      const { process } = await driver.createDevice();
      await house.adapters.remove("adapter0");
      await assert.rejects(
        driver.ask(vgpuCommand.createDevice, { privateData: deviceRequest() }, process),
        enodev,
      );
      // As long as it has the file, the UUID is taken.
      await driver.device.close();
      await house.adapters.add(undefined, "adapter0");
      const again = await DoorbellDriver.open(house.system, nodeOf(house, entry.uuid));
      await again.createDevice();
    },
    ["vfio.revoked", "vfio.revoked"],
  ));

function servingOf(house: House): VfioServing {
  const { serving } = house;
  assert.ok(serving);
  return serving;
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-vfio-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function answers(path: string): Promise<"yes" | "no"> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve("yes");
    });
    socket.once("error", () => resolve("no"));
  });
}

const refused = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("a slice is served on a socket, once, and only while it is used as vfio", () =>
  inHouse((house) =>
    inDirectory(async (directory) => {
      const serving = servingOf(house);
      const { uuid } = await create(house);
      const path = join(directory, "vgpu");
      const service = await serving.serve(uuid, path);
      assert.deepEqual(serving.list(), [service]);
      assert.equal(await answers(path), "yes");
      await assert.rejects(serving.serve(uuid, join(directory, "other")), refused("slice-served"));
      assert.deepEqual(await serving.watch(service.id, 0), { state: "serving", reason: "" });
      await serving.end(service.id);
      assert.equal(existsSync(path), false);
      await assert.rejects(serving.watch(service.id, 0), refused("service-unknown"));
      await assert.rejects(serving.serve(uuid, join(directory, "no", "vgpu")), refused("listen-failed"));
      await assert.rejects(
        serving.serve(uuid, join(directory, "x".repeat(108))),
        refused("socket-path-too-long"),
      );
      const again = await serving.serve(uuid, path);
      const ended = serving.watch(again.id, 5000);
      await house.mdev.setUse(uuid, null);
      assert.equal((await ended).state, "ended");
      assert.equal(existsSync(path), false);
      await assert.rejects(serving.serve(uuid, path), refused("slice-not-vfio"));
    }),
  ));

test("services end together while some end by themselves, and none begins afterwards", () =>
  inHouse((house) =>
    inDirectory(async (directory) => {
      const serving = servingOf(house);
      const [one, two, three] = [
        await create(house),
        await create(house),
        await house.slices.create([{ wish: { type: "shared" }, use: "vfio" }]),
      ];
      await serving.serve(one.uuid, join(directory, "one"));
      const second = await serving.serve(two.uuid, join(directory, "two"));
      const beginning = serving.serve(three[0]?.uuid as string, join(directory, "three"));
      const [closed, , late] = await Promise.allSettled([serving.close(), serving.end(second.id), beginning]);
      assert.equal(closed.status, "fulfilled");
      assert.ok(late.status === "rejected" && refused("host-stopping")(late.reason));
      assert.deepEqual([serving.list(), await readdir(directory)], [[], []]);
      await assert.rejects(serving.serve(one.uuid, join(directory, "one")), refused("host-stopping"));
      await serving.close();
    }),
  ));

test("a service that nobody asks about any more ends by itself", () =>
  inDirectory(async (directory) => {
    const time = new SimulatedTime();
    const house = new House(time.runtime, { vfio: "there" });
    await house.build();
    const serving = servingOf(house);
    const { uuid } = await create(house);
    const path = join(directory, "vgpu");
    const { id } = await serving.serve(uuid, path);
    await time.advance(15_000);
    const watched = serving.watch(id, 1000);
    await time.advance(1000);
    assert.equal((await watched).state, "serving");
    await time.advance(15_000);
    assert.equal(serving.list().length, 1);
    await time.advance(10_000);
    for (let left = 1000; serving.list().length > 0 && left > 0; left--) await time.advance(0);
    assert.deepEqual([serving.list(), existsSync(path)], [[], false]);
    const closing = house.close();
    await time.advance(0);
    await closing;
  }));
