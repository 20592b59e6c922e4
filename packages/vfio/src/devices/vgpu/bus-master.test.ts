import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Completion } from "parhelion-core";
import { PciCommand } from "../pci/config-offsets.js";
import type { VgpuReply } from "./vgpu-backend.js";
import type { VgpuDriver } from "./vgpu-driver.test.fixture.js";
import { QueueState, VgpuRegister, VgpuStatus } from "./vgpu-registers.js";
import { withVgpu } from "./vgpu-rig.test.fixture.js";

/** Waits until the function says that it has failed. */
async function failed(driver: VgpuDriver): Promise<void> {
  for (let left = 10_000; left > 0; left--) {
    if (((await driver.register(VgpuRegister.status)) & VgpuStatus.failed) !== 0) return;
    await turn();
  }
  assert.fail("it has not failed");
}

const mayNot = PciCommand.memorySpace;

test("a function that is no bus master fetches no command", () =>
  withVgpu(
    async ({ driver, backend }) => {
      await driver.enable(mayNot);
      driver.place(1, Buffer.from("request"));
      await driver.ring();
      await failed(driver);
      assert.equal(backend.served.length, 0);
      await driver.user.device.call("RESET", {});
      await driver.begin();
      assert.equal((await driver.command(1, Buffer.from("again"))).body.toString(), "again");
    },
    ["vfio.vgpu-failed"],
  ));

test("what a driver has left behind when the bus master is taken from the function stays as it is", () =>
  withVgpu(async ({ driver, backend, runtime }) => {
    const queue = await driver.attach(1);
    const slow = new Completion<VgpuReply>(runtime, "slow");
    backend.answer = () => slow.wait();
    driver.place(1, Buffer.from("request"));
    await driver.ring();
    while (backend.served.length === 0) await turn();
    await driver.enable(mayNot);
    const before = Buffer.from(driver.memory);
    slow.completeAll({ status: 0, body: Buffer.from("an answer") });
    backend.notify({ type: 1, process: 1, body: Buffer.from("a notice") });
    const [engine] = backend.queues;
    engine?.write("bytes of the engine");
    await failed(driver);
    while ((await queue.state()) === QueueState.open) await driver.moved.wait();
    assert.ok(driver.memory.equals(before));
  }, Array<string>(3).fill("vfio.vgpu-failed")));
