import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HostChannel } from "parhelion-buses";
import { createRuntime, isKernelError, type LogRecord } from "parhelion-core";
import { ioctl, isControlError } from "parhelion-protocol";
import { NodeEventKind } from "./dxg/request.js";
import { type MachineRig, machineRig } from "./machine.test.fixture.js";
import type { Application } from "./node-server/shelf.test.fixture.js";

async function onMachine(run: (rig: MachineRig) => Promise<void>): Promise<void> {
  const log: LogRecord[] = [];
  const rig = machineRig(createRuntime({ log: (record) => log.push(record) }));
  await run(rig);
  await rig.stop();
  assert.deepEqual([...rig.queues.doors], []);
  assert.equal(rig.shelf.published, null);
  assert.deepEqual(
    log.filter(({ level }) => level === "error"),
    [],
  );
}

async function newQueue(
  application: Application,
): Promise<{ readonly device: number; readonly queue: number }> {
  const { adapter } = await application.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
  const { device } = await application.call(ioctl.createDevice, { adapter });
  const { context } = await application.call(ioctl.createContextVirtual, { device });
  return { device, ...(await application.call(ioctl.createHwQueue, { context })) };
}

describe("a guest kernel in memory", () => {
  it("serves an application from HELLO to its last object, without any I/O", () =>
    onMachine(async ({ start, shelf, queues }) => {
      const host = await start((contact) => {
        contact.offerGlobal();
        contact.offerVgpu(0);
      });
      host.reach = 1;
      assert.match(shelf.published ?? "", /"nodes":\["dxg0"\]/);
      const application = shelf.visit("dxg0");
      await application.hello();
      await newQueue(application);
      assert.equal(queues.doors.size, 1);
      application.leave();
    }));

  it("ends an application's waits with ENODEV when its vGPU is taken, and tells it why", () =>
    onMachine(async ({ start, shelf, runtime }) => {
      const channels: HostChannel[] = [];
      const host = await start((contact) => {
        contact.offerGlobal();
        channels.push(contact.offerVgpu(0));
      });
      const application = shelf.visit("dxg0");
      await application.hello();
      const { device } = await newQueue(application);
      const { syncObject } = await application.call(ioctl.createSynchronizationObject, { device, kind: 5 });
      const fences = { device, objects: [syncObject], fenceValues: [9n] };
      const waiting = application.call(ioctl.waitForSynchronizationObjectFromCpu, fences);
      const refused = assert.rejects(waiting, (error) => isKernelError(error, "ENODEV"));
      while (host.waits.length === 0) await runtime.scheduler.yield("test", host);
      channels[0]?.rescind("the slice was taken back");
      await refused;
      assert.equal(await application.gone(), "dxg0 is gone: the slice was taken back");
      assert.deepEqual(
        application.events.map(({ kind }) => kind),
        [NodeEventKind.NODE_GONE],
      );
      assert.throws(
        () => shelf.visit("dxg0"),
        (error) => isKernelError(error, "ENOENT"),
      );
    }));

  it("loses its nodes with the connection, and can still be stopped", () =>
    onMachine(async ({ start, shelf, pipe, machine, runtime }) => {
      await start((contact) => {
        contact.offerGlobal();
        contact.offerVgpu(0);
      });
      const application = shelf.visit("dxg0");
      await application.hello();
      pipe.cut();
      await application.gone();
      while (machine.nodes.length > 0) await runtime.scheduler.yield("test", machine);
      assert.equal(machine.state, "refused", "there is no second pipe");
      await assert.rejects(application.hello(), (error) => isKernelError(error, "ENODEV"));
    }));

  it("wants HELLO first and once", () =>
    onMachine(async ({ start, shelf }) => {
      await start();
      const application = shelf.visit("dxg");
      const broken = (error: unknown): boolean => isControlError(error, "EPROTO");
      await assert.rejects(application.call(ioctl.enumAdapters3, {}), broken);
      await application.hello();
      assert.deepEqual((await application.call(ioctl.enumAdapters3, {})).adapters, []);
      await assert.rejects(application.hello(), broken);
      application.leave();
    }));
});
