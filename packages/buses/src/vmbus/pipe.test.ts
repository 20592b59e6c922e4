import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bus, Completion, createRuntime, isKernelError, noDeadline, WaitQueue } from "parhelion-core";
import { vgpuCommand } from "parhelion-protocol";
import {
  ChannelType,
  createVmbusPipe,
  type HostChannelInit,
  PCI_CHANNEL,
  pciPassthroughOffer,
  type VmbusDevice,
} from "../index.js";
import { pipeRig, plainFunction } from "./pipe.test.fixture.js";

const type = "11111111-2222-3333-4444-555555555555";
const instance = "00000000-0000-0000-0000-000000000001";
const offer: HostChannelInit = {
  interfaceType: type,
  interfaceInstance: instance,
  request: () => vgpuCommand.createDevice.reply.encode({ device: 42 }),
};

describe("the in-process pipe", () => {
  it("delivers what was sent before a close, in order, and then the end", async () => {
    const runtime = createRuntime();
    const { guest, host } = createVmbusPipe(runtime, "pipe");
    const over = new Completion<string>(runtime, "over");
    const seen: string[] = [];
    guest.send(1, Uint8Array.of(1));
    const bytes = Uint8Array.of(2);
    guest.send(2, bytes);
    bytes[0] = 9;
    guest.close();
    guest.send(3, Uint8Array.of(3));
    host.receive({
      frame: (relid, payload) => seen.push(`${relid}: ${payload}`),
      ended: ({ message }) => over.completeAll(message),
    });
    assert.match(await over.wait(), /hung up/);
    assert.deepEqual(seen, ["1: 1", "2: 2"]);
  });

  it("forgets what is on its way when it is cut, both ways", async () => {
    const runtime = createRuntime();
    const { guest, host } = createVmbusPipe(runtime, "pipe");
    const over = new Completion<string>(runtime, "over");
    const seen: number[] = [];
    for (const end of [guest, host])
      end.receive({
        frame: (relid) => seen.push(relid),
        ended: ({ message }) => over.complete(`${end === host ? "host" : "guest"}: ${message}`),
      });
    guest.send(1, new Uint8Array(0));
    host.send(2, new Uint8Array(0));
    guest.cut();
    assert.equal(await over.wait(), "host: the connection was cut");
    assert.deepEqual(seen, []);
  });

  it("carries a VMBus connection from contact to good-bye, without any I/O", async () => {
    const rig = pipeRig(createRuntime());
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver({
      name: "opening",
      bus: rig.vmbus as Bus,
      ids: [{ type }],
      async probe(device: VmbusDevice) {
        await device.channel.open({ channelType: ChannelType.VGPU_TO_HOST });
        devices.push(device);
      },
    } as never);
    const guest = await rig.connect((host) => host.offer(offer));
    const [device] = devices;
    assert.ok(device?.bound);
    assert.equal((await device.channel.request(vgpuCommand.createDevice, {})).device, 42);
    await rig.close();
    assert.equal(rig.host().state, "closed");
    assert.equal(guest.root.registered, false);
    assert.equal(device.channel.state, "rescinded");
  });

  it("ends every wait when the connection breaks", async () => {
    const { runtime, ...rig } = pipeRig(createRuntime());
    const asked = new WaitQueue(runtime, "asked");
    let requests = 0;
    const unanswered = new Completion<Uint8Array>(runtime, "unanswered");
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver({
      name: "opening",
      bus: rig.vmbus as Bus,
      ids: [{ type }],
      async probe(device: VmbusDevice) {
        await device.channel.open({ channelType: ChannelType.VGPU_TO_HOST });
        devices.push(device);
      },
    } as never);
    await rig.connect((host) =>
      host.offer({
        ...offer,
        request() {
          requests += 1;
          asked.wake();
          return unanswered.wait({ deadline: noDeadline });
        },
      }),
    );
    const request = devices[0]?.channel.request(vgpuCommand.createDevice, {}) ?? Promise.resolve();
    const refused = assert.rejects(request, (error) => isKernelError(error, "ENODEV"));
    await asked.wait(() => requests === 1);
    rig.pipe.cut();
    await refused;
    unanswered.completeAll(new Uint8Array(0));
    await rig.close();
    assert.deepEqual(rig.system.devicesOf(rig.vmbus as Bus), []);
  });

  it("brings PCI functions, which go with their channel", async () => {
    const rig = pipeRig(createRuntime());
    await rig.passPci();
    await rig.connect((host) => host.offer(pciPassthroughOffer(instance, 8, plainFunction(0x1414, 0x8e))));
    const [found] = rig.system.devicesOf(rig.pci as Bus);
    assert.equal(found?.name, "0001:00:01.0");
    assert.equal(found.parent?.name, instance);
    assert.deepEqual(
      rig.system.devicesOf(rig.vmbus as Bus).map((device) => (device as VmbusDevice).offer.interfaceType),
      [PCI_CHANNEL],
    );
    await rig.close();
    assert.deepEqual(rig.system.devicesOf(rig.pci as Bus), []);
  });
});
