/** Slices in a house with a host, and what tests of them say again and again. */
import assert from "node:assert/strict";
import { VGPU_CHANNEL, type VmbusChannel } from "parhelion-buses";
import { createRuntime, type LogRecord } from "parhelion-core";
import { vgpuCommand } from "parhelion-protocol";
import { House, type HouseOptions } from "../guests/house.test.fixture.js";
import type { Kernel } from "../guests/kernel.test.fixture.js";
import { HostError, type HostErrorCode } from "../host-error.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import type { SliceEntry } from "./slice-entry.js";

export const GiB = 2 ** 30;
/** What the rig's adapters have. */
export const capacity = 8 * GiB;
export const uuid = "5e0ffea1-1111-4222-8333-444455556666";
export const types = "/sys/devices/adapter0/mdev_supported_types";

export async function inHouse(
  run: (house: House) => Promise<void>,
  options: HouseOptions = {},
  expected: readonly string[] = [],
): Promise<void> {
  const log: LogRecord[] = [];
  const house = new House(createRuntime({ log: (record) => log.push(record) }), {
    backOff: { firstMs: 0, mostMs: 0 },
    ...options,
  });
  await house.build();
  await run(house);
  await house.close();
  assert.deepEqual(house.engines.living, []);
  assert.deepEqual(
    [...house.directories].filter((directory) => directory.startsWith("local/")),
    [],
  );
  assert.deepEqual(
    log.filter(({ level }) => level === "error").map(({ event }) => event),
    expected,
  );
}

export function refused(code: HostErrorCode, rule?: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError, String(error));
    assert.equal(error.code, code, error.message);
    if (rule !== undefined) assert.equal(error.details["rule"], rule);
    return true;
  };
}

export async function one(
  house: House,
  request: Parameters<House["slices"]["create"]>[0][number],
): Promise<SliceEntry> {
  const [entry] = await house.slices.create([request]);
  assert.ok(entry);
  return entry;
}

export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let left = 20_000; !condition(); left--) {
    assert.ok(left > 0, `it did not come about that ${what}`);
    await new Promise((resolve) => (left > 10_000 ? setImmediate(resolve) : setTimeout(resolve, 1)));
  }
}

/** A device on the kernel's vGPU of that number. */
export async function deviceOn(
  kernel: Kernel,
  index = 0,
): Promise<{ channel: VmbusChannel; process: number }> {
  const process = await kernel.newProcess();
  const channel = await kernel.open(VGPU_CHANNEL, index);
  await channel.request(vgpuCommand.createDevice, { privateData: deviceRequest() }, { process });
  return { channel, process };
}
