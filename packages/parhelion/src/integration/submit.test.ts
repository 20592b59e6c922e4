import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import {
  CommandStream,
  ControlConnection,
  connectQueue,
  encode,
  HANDLE,
  InterfaceKind,
  ioctl,
  isControlError,
  KIND,
  nodeMessage,
  OWNER,
  type StatusCode,
} from "parhelion-protocol";
import { type Guest, inWorld, until } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };
const DEVICE = 1;
const QUEUE = 2;
/** GPUBufferUsage's COPY_SRC and COPY_DST. */
const copyable = 4 | 8;

const refused = (code: StatusCode) => (error: unknown) => isControlError(error, code);

/** What a program does without a client library: every request of a device's and a queue's birth, by hand. */
async function openByHand({ created }: Guest) {
  const socket = connect(join(created.directory, "dxg0"));
  await once(socket, "connect");
  const node = new ControlConnection(socket, { peer: "dxg0" });
  await node.call(nodeMessage.hello, { process: process.pid, name: "by hand" });
  const control = connect(join(created.directory, "dxg"));
  await once(control, "connect");
  const list = new ControlConnection(control, { peer: "dxg" });
  await list.call(nodeMessage.hello, { process: process.pid, name: "by hand" });
  const { adapters } = await list.call(ioctl.enumAdapters3, {});
  list.close();
  const { adapter } = await node.call(ioctl.openAdapterFromLuid, { luid: adapters[0]?.luid ?? 0n });
  const request = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
  const { device } = await node.call(ioctl.createDevice, {
    adapter,
    privateData: new TextEncoder().encode(JSON.stringify(request)),
  });
  const { context } = await node.call(ioctl.createContextVirtual, { device, flags: 1 << 4 });
  const queue = await node.call(ioctl.createHwQueue, { context });
  const endpoint = { path: join(created.directory, queue.endpoint) };
  return { node, device, queue, open: () => connectQueue({ endpoint, token: queue.token }) };
}

test(
  "submit by way of the kernel names the fence's value for all that was published, and it comes",
  limit,
  () =>
    inWorld(
      async (world) => {
        const guest = await world.guest();
        const { node, device, queue, open } = await openByHand(guest);
        const submit = () => node.call(ioctl.submitCommandToHwQueue, { queue: queue.queue });
        const wait = (value: bigint, timeoutMs = 0) =>
          node.call(ioctl.waitForSynchronizationObjectFromCpu, {
            device,
            objects: [queue.progressFence],
            fenceValues: [value],
            timeoutMs,
          });
        await assert.rejects(submit(), refused("EINVAL"));
        const port = await open();
        try {
          const owner = {};
          const options = { tx: port.tx, owner, features: new Set<string>(), importForeign: () => 0 };
          const stream = new CommandStream(options);
          assert.equal((await submit()).fenceValue, 0n);
          await wait(0n);
          await assert.rejects(wait(1n, 20), refused("EAGAIN"));

          const size = 2 ** 20;
          for (const id of [10, 11])
            encode.deviceCreateBuffer(stream, DEVICE, id, { size, usage: copyable, mappedAtCreation: false });
          const handle = (kind: number, id: number) => ({ [KIND]: kind, [HANDLE]: id, [OWNER]: owner });
          const buffer = (id: number) => handle(InterfaceKind.GPUBuffer, id);
          for (let i = 0; i < 50; i++) {
            const [encoder, commands] = [100 + 2 * i, 101 + 2 * i];
            encode.deviceCreateCommandEncoder(stream, DEVICE, encoder);
            encode.commandEncoderCopyBufferToBuffer(stream, encoder, buffer(10), 0, buffer(11), 0, size);
            encode.commandEncoderFinish(stream, encoder, commands);
            encode.queueSubmit(stream, QUEUE, [handle(InterfaceKind.GPUCommandBuffer, commands)]);
          }
          stream.flush();
          const { fenceValue } = await submit();
          assert.equal(fenceValue, 50n);
          await wait(fenceValue);
          const { engine, statistics } = await world.engine();
          assert.equal(statistics?.submits, 50);
          assert.equal((await node.call(ioctl.getDeviceState, { device, stateType: 1 })).executionState, 1);

          // The fence is the engine's to set, and goes with the queue.
          const objects = [queue.progressFence];
          const set = node.call(ioctl.signalSynchronizationObjectFromCpu, {
            device,
            objects,
            fenceValues: [60n],
          });
          await assert.rejects(set, refused("EINVAL"));
          const destroy = node.call(ioctl.destroySynchronizationObject, { syncObject: queue.progressFence });
          await assert.rejects(destroy, refused("EBUSY"));
          await assert.rejects(
            node.call(ioctl.submitCommandToHwQueue, { queue: queue.progressFence }),
            refused("EBADF"),
          );

          const never = assert.rejects(wait(51n), refused("ENODEV"));
          process.kill(engine.pid as number, "SIGKILL");
          await never;
          await assert.rejects(submit(), refused("ENODEV"));
          await until("the device is known to be lost", async () => {
            const state = await node.call(ioctl.getDeviceState, { device, stateType: 1 });
            return state.executionState !== 1 && state.text.includes("SIGKILL");
          });
          await node.call(ioctl.destroyHwQueue, { queue: queue.queue });
          await assert.rejects(submit(), refused("EBADF"));
          await assert.rejects(wait(1n), refused("EBADF"));
        } finally {
          port.close();
          node.close();
        }
      },
      { expects: ["engine.failed"] },
    ),
);
