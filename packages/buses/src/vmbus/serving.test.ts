import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bus, Completion, createRuntime, noDeadline } from "parhelion-core";
import { isControlError, vgpuCommand } from "parhelion-protocol";
import { ChannelType, type VmbusDevice } from "../index.js";
import { MAX_SERVED_BYTES } from "./packet-endpoint.js";
import { pipeRig } from "./pipe.test.fixture.js";

const type = "11111111-2222-3333-4444-555555555555";

describe("a host's channel", () => {
  it("holds no more bytes of its guest's requests than its limit, and serves again when some are done", async () => {
    const runtime = createRuntime();
    const rig = pipeRig(runtime);
    const gate = new Completion<Uint8Array>(runtime, "gate");
    let held = 0;
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
        interfaceType: type,
        interfaceInstance: "00000000-0000-0000-0000-000000000001",
        request: ({ body }) => {
          held += body.length;
          return gate.wait({ deadline: noDeadline });
        },
      }),
    );
    const channel = (devices[0] as VmbusDevice).channel;
    const privateData = new Uint8Array(60_000);
    const asked = Array.from({ length: 100 }, () =>
      channel.request(vgpuCommand.createDevice, { privateData }),
    );
    const outcomes = Promise.allSettled(asked);
    await assert.rejects(asked.at(-1) as Promise<unknown>, (error) => isControlError(error, "EAGAIN"));
    assert.ok(held <= MAX_SERVED_BYTES && held > MAX_SERVED_BYTES / 2, `${held} bytes are held`);
    gate.completeAll(vgpuCommand.createDevice.reply.encode({ device: 42 }));
    const served = (await outcomes).filter(({ status }) => status === "fulfilled");
    assert.ok(served.length * privateData.length <= MAX_SERVED_BYTES);
    assert.equal((await channel.request(vgpuCommand.createDevice, { privateData })).device, 42);
    await rig.close();
  });
});
