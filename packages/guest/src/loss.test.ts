import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ioctl } from "parhelion-protocol";
import { openNode, until } from "./rig.test.fixture.js";
import { openAdapter, refused, scene } from "./scene.test.fixture.js";

describe("a rescind", () => {
  it("tells applications, ends requests that wait with ENODEV, and lets them close", async (t) => {
    const { kernel, host, channel } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const { connection, events, closed } = application;
    const adapter = await openAdapter(application);
    const { device } = await connection.call(ioctl.createDevice, { adapter });
    const { syncObject } = await connection.call(ioctl.createSynchronizationObject, { device, kind: 5 });
    const fences = { device, objects: [syncObject], fenceValues: [9n] };
    const waits = [1, 2, 3].map(() => connection.call(ioctl.waitForSynchronizationObjectFromCpu, fences));
    await until(() => host.waits.length === 3, "the waits are at the host");
    channel.rescind("the slice was taken back");
    for (const wait of waits) await assert.rejects(wait, refused("ENODEV"));
    await closed;
    assert.deepEqual(
      events.map(({ kind, text }) => [kind, text]),
      [[1, "dxg0 is gone: the slice was taken back"]],
    );
    await until(() => host.processes.size === 0, "the process is destroyed over the global channel");
    await assert.rejects(connection.call(ioctl.getDeviceState, { device }), refused("ENODEV"));
    await assert.rejects(openNode(kernel, "dxg0"));
  });

  it("in the middle of an open leaves neither a file nor a process", async (t) => {
    const { kernel, host, channel } = await scene(t);
    const held: (() => void)[] = [];
    host.intercept = async (name) => {
      if (name === "createProcess") await new Promise<void>((resolve) => held.push(resolve));
    };
    const opening = openNode(kernel, "dxg0");
    await until(() => held.length === 1, "the open is at the host");
    channel.rescind("gone");
    await assert.rejects(opening);
    held[0]?.();
    await until(
      () => host.processes.size === 0 && host.asked.includes("destroyProcess"),
      "the process is destroyed",
    );
  });
});

describe("the loss of an engine", () => {
  it("that is told before the device is taken fails its creation, and leaves nothing", async (t) => {
    const { kernel, host, channel } = await scene(t);
    const application = await openNode(kernel, "dxg0");
    const adapter = await openAdapter(application);
    const before = [...host.objects];
    const process = [...host.processes][0] ?? 0;
    host.intercept = (name) => {
      // The next number that this host gives is the device's.
      if (name === "createDevice") host.loseDevice(channel, process, process + 4);
    };
    await assert.rejects(application.connection.call(ioctl.createDevice, { adapter }), (error) => {
      return refused("ENODEV")(error) && /the engine died/.test(String(error));
    });
    assert.deepEqual([...host.objects], before);
    assert.deepEqual(application.events, []);
    host.intercept = () => {};
    await application.connection.call(ioctl.createDevice, { adapter });
  });

  it("is told to the owner of the device, once, and the next device works", async (t) => {
    const { kernel, host, channel } = await scene(t);
    const [owner, bystander] = [await openNode(kernel, "dxg0"), await openNode(kernel, "dxg0")];
    const adapter = await openAdapter(owner);
    const { device } = await owner.connection.call(ioctl.createDevice, { adapter });
    const process = [...host.processes][0] ?? 0;
    const hostDevice = Number([...host.objects].find((object) => object.startsWith("device"))?.split(" ")[1]);
    for (let i = 0; i < 2; i++) host.loseDevice(channel, process, hostDevice);
    host.loseDevice(channel, process, 999);
    host.loseDevice(channel, 999, hostDevice);
    const state = async (): Promise<number> => {
      return (await owner.connection.call(ioctl.getDeviceState, { device, stateType: 1 })).executionState;
    };
    while ((await state()) !== 4);
    assert.deepEqual(owner.events, [{ kind: 2, object: device, reason: "unknown", text: "the engine died" }]);
    assert.deepEqual(bystander.events, []);
    await owner.connection.call(ioctl.destroyDevice, { device });
    const next = await owner.connection.call(ioctl.createDevice, { adapter });
    assert.notEqual(next.device, device);
  });
});
