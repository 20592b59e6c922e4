import assert from "node:assert/strict";
import { test } from "node:test";
import { VGPU_CHANNEL, type VmbusChannel } from "parhelion-buses";
import { createRuntime, isKernelError, type LogRecord } from "parhelion-core";
import { isControlError, vgpuCommand } from "parhelion-protocol";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import { House } from "./house.test.fixture.js";
import type { Kernel } from "./kernel.test.fixture.js";

async function inHouse(run: (house: House) => Promise<void>): Promise<void> {
  const log: LogRecord[] = [];
  const house = new House(createRuntime({ log: (record) => log.push(record) }), {
    backOff: { firstMs: 0, mostMs: 0 },
  });
  await house.build();
  await run(house);
  await house.close();
  assert.deepEqual(house.engines.living, []);
  // Those of guests that are kept stay, and no others.
  assert.deepEqual(
    [...house.directories],
    house.store.guests.map(({ id }) => `g/${id}`),
  );
  assert.deepEqual(
    log.filter(({ level }) => level === "error"),
    [],
  );
}

interface Work {
  readonly kernel: Kernel;
  readonly channel: VmbusChannel;
  readonly process: number;
  readonly device: number;
  readonly queue: number;
  readonly progressFence: number;
}

/** A process with a device and a queue on the kernel's first vGPU. */
async function work(kernel: Kernel): Promise<Work> {
  const process = await kernel.newProcess();
  const channel = await kernel.open(VGPU_CHANNEL);
  const asked = { privateData: deviceRequest() };
  const { device } = await channel.request(vgpuCommand.createDevice, asked, { process });
  const { context } = await channel.request(vgpuCommand.createContextVirtual, { device }, { process });
  const made = await channel.request(vgpuCommand.createHwQueue, { context }, { process });
  return { kernel, channel, process, device, ...made };
}

test("a kernel works on its slice's engine, from contact to good-bye, without any I/O", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create({ name: "one" });
    const { kernel, channel, process, queue, progressFence } = await work(await house.enter(credential));
    const { fenceValue } = await channel.request(vgpuCommand.submitCommandToHwQueue, { queue }, { process });
    const wait = { objects: [progressFence], fenceValues: [fenceValue] };
    await channel.request(vgpuCommand.waitForSyncFromCpu, wait, { process });
    assert.deepEqual([house.engines.living.length, house.engines.living[0]?.queues.size], [1, 1]);
    await kernel.connection.close();
    const [guest] = house.guests.values();
    assert.equal(guest?.connection, undefined);
    const again = await house.enter(credential);
    await again.connection.close();
  }));

test("a guest that is removed while its process waits for a fence is gone with all it had", () =>
  inHouse(async (house) => {
    const { id, credential } = await house.guests.create({ name: "one" });
    const { channel, process, progressFence } = await work(await house.enter(credential));
    const wait = { objects: [progressFence], fenceValues: [9n] };
    const waiting = channel.request(vgpuCommand.waitForSyncFromCpu, wait, { process });
    const settled = assert.rejects(waiting, (error) => isKernelError(error, "ENODEV"));
    await house.guests.remove(id);
    await settled;
    assert.deepEqual([...house.guests.values()], []);
  }));

test("an engine's death is told to the process whose device it had, and to nobody else's", () =>
  inHouse(async (house) => {
    const one = await house.guests.create({ name: "one" });
    const two = await house.guests.create({ name: "two" });
    const lost = await work(await house.enter(one.credential));
    const kept = await work(await house.enter(two.credential));
    const never = { objects: [lost.progressFence], fenceValues: [9n] };
    const { process } = lost;
    const waiting = lost.channel.request(vgpuCommand.waitForSyncFromCpu, never, { process });
    const settled = assert.rejects(waiting, (error) => isControlError(error) && /code 9/.test(error.message));
    house.engines.started[0]?.exit(9);
    await settled;
    assert.equal(house.engines.living.length, 1);
    const ring = { queue: kept.queue };
    await kept.channel.request(vgpuCommand.submitCommandToHwQueue, ring, { process: kept.process });
    assert.deepEqual([lost.kernel.events.length, kept.kernel.events.length], [1, 0]);
    const asked = { privateData: deviceRequest() };
    await lost.channel.request(vgpuCommand.createDevice, asked, { process });
    assert.equal(house.engines.started.length, 3);
  }));

test("of two kernels with one credential the second is turned away", () =>
  inHouse(async (house) => {
    const { credential } = await house.guests.create({ name: "one" });
    const first = await house.enter(credential);
    await assert.rejects(house.enter(credential), (error) => isKernelError(error, "ECONNREFUSED"));
    house.pipes[0]?.cut();
    await first.connection.close();
  }));
