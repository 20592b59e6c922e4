import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  ControlConnection,
  ControlError,
  encodeFrame,
  ioctl,
  isControlError,
  nodeMessage,
  type StatusCode,
  StatusErrno,
} from "parhelion-protocol";
import type { TestHost } from "./host.test.fixture.js";
import { createRig, openNode, until } from "./rig.test.fixture.js";
import { openAdapter, refused, scene } from "./scene.test.fixture.js";

describe("an open node", () => {
  it("makes and destroys what an application needs for one queue", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection } = application;
    const adapter = await openAdapter(application);
    const info = await connection.call(ioctl.queryAdapterInfo, { adapter, infoType: 0x1000 });
    assert.equal(new TextDecoder().decode(info.privateData), "info 4096");
    const { device, privateData } = await connection.call(ioctl.createDevice, {
      adapter,
      privateData: Uint8Array.of(1, 2),
    });
    assert.deepEqual([...privateData], [1, 2]);
    assert.equal((await connection.call(ioctl.getDeviceState, { device, stateType: 1 })).executionState, 1);
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    const queue = await connection.call(ioctl.createHwQueue, { context });
    assert.equal(queue.endpoint, "q-of-the-engine");
    assert.match(queue.token, /^[0-9a-f]{32}$/);
    assert.notEqual(queue.progressFence, 0);
    const { fenceValue } = await connection.call(ioctl.submitCommandToHwQueue, { queue: queue.queue });
    const number = [...host.objects].find((object) => object.startsWith("queue "))?.split(" ")[1];
    assert.equal(fenceValue, 2n ** 40n + BigInt(number ?? 0));
    const { syncObject } = await connection.call(ioctl.createSynchronizationObject, { device, kind: 5 });
    const fences = { device, objects: [queue.progressFence, syncObject], fenceValues: [1n, 2n] };
    await connection.call(ioctl.signalSynchronizationObjectFromCpu, fences);
    const waiting = connection.call(ioctl.waitForSynchronizationObjectFromCpu, fences);
    await until(() => host.waits.length === 1, "the wait is at the host");
    host.waits[0]?.();
    await waiting;
    const { allocations } = await connection.call(ioctl.createAllocation, {
      device,
      allocations: [1n, 2n].map((size) => ({ size, flags: 0, privateData: new Uint8Array(0) })),
    });
    assert.equal(allocations.length, 2);
    await connection.call(ioctl.destroyAllocation2, { device, allocations });
    await connection.call(ioctl.destroySynchronizationObject, { syncObject });
    await connection.call(ioctl.destroyHwQueue, { queue: queue.queue });
    await connection.call(ioctl.destroyContext, { context });
    await connection.call(ioctl.destroyDevice, { device });
    await connection.call(ioctl.closeAdapter, { adapter });
    assert.deepEqual(
      [...host.objects].map((object) => object.split(" ")[0]),
      ["adapter"],
    );
    await assert.rejects(connection.call(ioctl.destroyDevice, { device }), refused("EBADF"));
  });

  it("refuses wrong handles, types, relations and values before the host hears of them", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection } = application;
    const adapter = await openAdapter(application);
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const other = await connection.call(ioctl.createDevice, { adapter });
    const { syncObject } = await connection.call(ioctl.createSynchronizationObject, { device, kind: 5 });
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    const queue = await connection.call(ioctl.createHwQueue, { context });
    let heard = 0;
    host.intercept = () => {
      heard++;
    };
    const cases: [Promise<unknown>, StatusCode][] = [
      [connection.call(ioctl.createDevice, { adapter: 0 }), "EBADF"],
      [connection.call(ioctl.createDevice, { adapter: device }), "EBADF"],
      [connection.call(ioctl.destroyDevice, { device: 0xffff_ffff }), "EBADF"],
      [connection.call(ioctl.createContextVirtual, { device: context }), "EBADF"],
      [connection.call(ioctl.createSynchronizationObject, { device, kind: 2 }), "EINVAL"],
      [connection.call(ioctl.createAllocation, { device }), "EINVAL"],
      [
        connection.call(ioctl.createAllocation, {
          device,
          allocations: [{ size: 0n, flags: 0, privateData: new Uint8Array(0) }],
        }),
        "EINVAL",
      ],
      [
        connection.call(ioctl.signalSynchronizationObjectFromCpu, {
          device,
          objects: [syncObject],
          fenceValues: [],
        }),
        "EINVAL",
      ],
      [
        connection.call(ioctl.signalSynchronizationObjectFromCpu, {
          device: other.device,
          objects: [syncObject],
          fenceValues: [1n],
        }),
        "EINVAL",
      ],
      [connection.call(ioctl.destroySynchronizationObject, { syncObject: queue.progressFence }), "EBUSY"],
      [connection.call(ioctl.destroyAllocation2, { device, allocations: [syncObject] }), "EBADF"],
      [connection.call(ioctl.submitCommandToHwQueue, { queue: queue.progressFence }), "EBADF"],
      [connection.request(0x03, new Uint8Array(0)), "ENOTTY"],
      [connection.request(ioctl.createDevice.type, Uint8Array.of(1, 2)), "EINVAL"],
      [connection.call(nodeMessage.hello, {}), "EPROTO"],
    ];
    for (const [call, code] of cases) await assert.rejects(call, refused(code));
    assert.equal(heard, 0);
  });

  it("passes on what the host refuses, with its private data", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const adapter = await openAdapter(application);
    const refusal = new TextEncoder().encode('{"name":"OperationError","message":"no"}');
    host.intercept = (name) => {
      if (name === "createDevice")
        throw new ControlError(StatusErrno.EDQUOT, "1 device is the limit", { privateData: refusal });
    };
    await assert.rejects(application.connection.call(ioctl.createDevice, { adapter }), (error) => {
      return (
        isControlError(error, "EDQUOT") &&
        error.message === "EDQUOT: 1 device is the limit" &&
        error.privateData.length === refusal.length
      );
    });
  });

  it("leaves nothing at the host of what was made too late", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection } = application;
    const held: (() => void)[] = [];
    host.intercept = async (name) => {
      if (name === "createDevice") await new Promise<void>((resolve) => held.push(resolve));
    };
    const adapter = await openAdapter(application);
    const creating = connection.call(ioctl.createDevice, { adapter });
    await until(() => held.length === 1, "the device is being created");
    await connection.call(ioctl.closeAdapter, { adapter });
    held[0]?.();
    await assert.rejects(creating, refused("ENODEV"));
    assert.equal(host.objects.size, 1);
  });

  it("leaves nothing at the host of what came after its deadline", async (t) => {
    const { start } = await createRig(t);
    const offers = (contact: TestHost): void => {
      contact.offerGlobal();
      contact.offerVgpu(0);
    };
    const { kernel, host } = await start(offers, { runtime: { patienceMs: 3000 } });
    const application = await openNode(kernel, "dxg0");
    const adapter = await openAdapter(application);
    const held: (() => void)[] = [];
    host.intercept = async (name) => {
      if (name === "createDevice") await new Promise<void>((resolve) => held.push(resolve));
    };
    await assert.rejects(application.connection.call(ioctl.createDevice, { adapter }), refused("ETIMEDOUT"));
    held[0]?.();
    await until(
      () => host.asked.some((line) => line.startsWith("destroyDevice")),
      "the device is given back",
    );
    assert.equal(host.objects.size, 1);
  });

  it("wants HELLO first, and is closed to who says nothing sensible", async (t) => {
    const { kernel } = await scene(t);
    const socket = net.connect(path.join(kernel.directory, "dxg0"));
    const connection = new ControlConnection(socket);
    await assert.rejects(connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n }), refused("EPROTO"));
    connection.close();
  });

  it("has a socket that only its owner can use", async (t) => {
    const { kernel } = await scene(t);
    for (const node of ["dxg", "dxg0"]) {
      const { mode } = statSync(path.join(kernel.directory, node));
      assert.equal(mode & 0o777, 0o600);
    }
  });
});

describe("closing a node", () => {
  it("destroys everything in the reverse of its creation, then the process", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection } = application;
    const adapter = await openAdapter(application);
    const devices = [
      await connection.call(ioctl.createDevice, { adapter }),
      await connection.call(ioctl.createDevice, { adapter }),
    ];
    const device = devices[0]?.device ?? 0;
    const { context } = await connection.call(ioctl.createContextVirtual, { device });
    await connection.call(ioctl.createHwQueue, { context });
    await connection.call(ioctl.createSynchronizationObject, { device, kind: 5 });
    host.asked.length = 0;
    connection.close();
    await until(() => host.processes.size === 0, "the process is destroyed");
    assert.deepEqual(
      host.asked.map((line) => line.split(" ")[0]),
      [
        "destroyDevice",
        "destroySyncObject",
        "destroyHwQueue",
        "destroyContext",
        "destroyDevice",
        "destroyProcess",
      ],
    );
    assert.deepEqual(
      [...host.objects].map((object) => object.split(" ")[0]),
      ["adapter"],
    );
  });

  it("ends what waits at the host, and unlinks a handle before the host hears of it", async (t) => {
    const { kernel, host } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection } = application;
    const adapter = await openAdapter(application);
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const { syncObject } = await connection.call(ioctl.createSynchronizationObject, { device, kind: 5 });
    const replies: StatusCode[] = [];
    host.intercept = async (name) => {
      if (name !== "destroyDevice") return;
      // While the host is at it the guest must not know the handle any more.
      await assert.rejects(connection.call(ioctl.getDeviceState, { device }), (error) => {
        if (isControlError(error)) replies.push(error.code as StatusCode);
        return true;
      });
    };
    const wait = connection.call(ioctl.waitForSynchronizationObjectFromCpu, {
      device,
      objects: [syncObject],
      fenceValues: [9n],
    });
    await until(() => host.waits.length === 1, "the wait is at the host");
    await connection.call(ioctl.destroyDevice, { device });
    assert.deepEqual(replies, ["EBADF"]);
    connection.close();
    await assert.rejects(wait, refused("ENODEV"));
    await until(() => host.processes.size === 0, "the process goes although its wait never ended");
  });

  it("by the death of the process frees everything", async (t) => {
    const { kernel, host } = await scene(t);
    const protocol = import.meta.resolve("parhelion-protocol");
    const script = `
      import net from "node:net";
      import { ControlConnection, ioctl, nodeMessage } from ${JSON.stringify(protocol)};
      const c = new ControlConnection(net.connect(${JSON.stringify(path.join(kernel.directory, "dxg0"))}));
      await c.call(nodeMessage.hello, { process: process.pid });
      const { adapter } = await c.call(ioctl.openAdapterFromLuid, { luid: 0x1000n });
      for (let i = 0; i < 10; i++) await c.call(ioctl.createDevice, { adapter });
      const { device } = await c.call(ioctl.createDevice, { adapter });
      const { syncObject } = await c.call(ioctl.createSynchronizationObject, { device, kind: 5 });
      c.call(ioctl.waitForSynchronizationObjectFromCpu, { device, objects: [syncObject], fenceValues: [1n] });
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
    const exited = once(child, "exit");
    while (host.waits.length === 0) {
      assert.equal(child.exitCode, null);
      await new Promise<void>((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(host.processes.size, 1);
    child.kill("SIGKILL");
    await exited;
    await until(() => host.processes.size === 0, "the process is destroyed at the host");
    assert.equal(host.objects.size, 1);
  });
});

describe("a hundred processes", () => {
  it("each have their own objects, and leave nothing behind", async (t) => {
    const { kernel, host } = await scene(t);
    const applications = await Promise.all(Array.from({ length: 100 }, () => openNode(kernel, "dxg0")));
    const handles = await Promise.all(
      applications.map(async (application) => {
        const adapter = await openAdapter(application);
        return (await application.connection.call(ioctl.createDevice, { adapter })).device;
      }),
    );
    assert.equal(host.processes.size, 100);
    // The same number in each: handles mean something in their own process only.
    assert.equal(new Set(handles).size, 1);
    for (const { connection } of applications) connection.close();
    await until(() => host.processes.size === 0, "all processes are destroyed");
    assert.equal(host.objects.size, 1);
  });
});

describe("garbage on a node's socket", () => {
  it("ends that connection only", async (t) => {
    const { kernel, host } = await scene(t);
    const bystander = await openNode(kernel, "dxg0");
    const adapter = await openAdapter(bystander);
    const frame = fc.record({
      type: fc.constantFrom(...Object.values(ioctl).map(({ type }) => type), 0x100, 0x101, 7),
      body: fc.uint8Array({ maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("dxg", "dxg0"),
        fc.array(frame, { maxLength: 4 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.boolean(),
        async (node, frames, tail, hello) => {
          const socket = net.connect(path.join(kernel.directory, node));
          socket.on("error", () => {});
          socket.resume();
          const closed = once(socket, "close");
          if (hello) socket.write(encodeFrame(0x100, 0, 1, nodeMessage.hello.request.encode({})));
          for (const [i, { type, body }] of frames.entries()) socket.write(encodeFrame(type, 0, i + 2, body));
          socket.end(tail);
          await closed;
          await bystander.connection.call(ioctl.queryVideoMemoryInfo, { adapter, group: 0 });
        },
      ),
      { numRuns: 80 },
    );
    await until(() => host.processes.size === 1, "only the bystander is left");
  });

  it("of impossible size is answered by the end of the connection", async (t) => {
    const { kernel } = await scene(t);
    const socket = net.connect(path.join(kernel.directory, "dxg0"));
    socket.on("error", () => {});
    socket.resume();
    const closed = once(socket, "close");
    socket.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    await closed;
  });
});
