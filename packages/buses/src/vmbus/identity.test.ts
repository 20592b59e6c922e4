import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Bus, createRuntime, type LogRecord, type Runtime, System } from "parhelion-core";
import {
  guestCommand,
  isControlError,
  VmbusFeature,
  VmbusMessage,
  vgpuCommand,
  vmbusFeatures,
} from "parhelion-protocol";
import {
  ChannelType,
  createVmbus,
  createVmbusPipe,
  type HostChannel,
  VmbusConnection,
  type VmbusDevice,
  VmbusHost,
} from "../index.js";
import { PacketEndpoint } from "./packet-endpoint.js";
import { Tap, type TappedFrame } from "./tap.test.fixture.js";

const type = "11111111-2222-3333-4444-555555555555";
const slice = "00000000-0000-0000-0000-000000000001";

/** A guest and a host, all of whose words are kept. */
class Pair {
  readonly runtime: Runtime;
  readonly log: LogRecord[] = [];
  readonly system: System;
  readonly bus = createVmbus();
  readonly guestTap: Tap;
  readonly hostTap: Tap;
  /** What the host's handlers heard, and the guest's. */
  readonly heard: string[] = [];
  readonly told: string[] = [];
  guest!: VmbusConnection;
  host!: VmbusHost;

  constructor() {
    this.runtime = createRuntime({ patienceMs: 5000, log: (record) => this.log.push(record) });
    this.system = new System(this.runtime);
    this.system.registerBus(this.bus as Bus);
    const pipe = createVmbusPipe(this.runtime, "pipe");
    this.guestTap = new Tap(pipe.guest);
    this.hostTap = new Tap(pipe.host);
  }

  async connect(features = vmbusFeatures): Promise<this> {
    const { runtime } = this;
    const accepting = VmbusHost.accept(this.hostTap, { runtime, authorize: () => features });
    const init = { name: "guest", credential: "" };
    const connecting = VmbusConnection.connect(this.system, this.bus, this.guestTap, init);
    [this.host, this.guest] = await Promise.all([accepting, connecting]);
    return this;
  }

  offer(generation: bigint): HostChannel {
    return this.host.offer({
      interfaceType: type,
      interfaceInstance: slice,
      identity: { slice, generation },
      open: () => void this.heard.push(`open of ${generation}`),
      close: () => void this.heard.push(`close of ${generation}`),
      request: ({ type }) => {
        this.heard.push(`request ${type}`);
        return new Uint8Array(0);
      },
      message: () => void this.heard.push("message"),
    });
  }

  async device(): Promise<VmbusDevice> {
    for (;;) {
      const [device] = this.system.devicesOf(this.bus as Bus) as VmbusDevice[];
      if (device !== undefined && device.channel.state !== "rescinded") return device;
      await this.settle();
    }
  }

  async open(): Promise<VmbusDevice["channel"]> {
    const { channel } = await this.device();
    const message = (): void => void this.told.push("message");
    await channel.open({ channelType: ChannelType.VGPU_TO_HOST, message });
    return channel;
  }

  /** Until all that is on its way has arrived. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  }

  stale(): number {
    return this.log.filter(({ event }) => event === "message.stale").length;
  }
}

/** A whole life of a channel: opened, used both ways, closed, taken back. */
async function liveOf(pair: Pair, generation: bigint): Promise<void> {
  const offered = pair.offer(generation);
  const channel = await pair.open();
  await channel.request(vgpuCommand.destroyDevice, { device: 1 });
  channel.notify(guestCommand.adapterInfoChanged, {});
  offered.notify(guestCommand.adapterInfoChanged, {});
  await pair.settle();
  channel.close();
  offered.rescind("its owner is another one");
  await pair.settle();
}

describe("messages that name slice and generation", () => {
  for (const where of ["the same connection", "a new connection"] as const) {
    it(`of an earlier generation change nothing on ${where}, in any order`, async () => {
      const earlier = await new Pair().connect();
      await liveOf(earlier, 3n);
      const [recorded, spoken] = [earlier.guestTap.sent.slice(), earlier.hostTap.sent.slice()];
      let generation = 3n;
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(99), { minLength: 1, maxLength: 40 }), async (choices) => {
          const pair = where === "the same connection" ? earlier : await new Pair().connect();
          generation += 1n;
          const offered = pair.offer(generation);
          const channel = await pair.open();
          await pair.settle();
          const before = [...pair.heard];
          const told = [...pair.told];
          for (const choice of choices) {
            const frame = recorded[choice % recorded.length] as TappedFrame;
            // About the connection that is still there they are not old.
            if (where === "a new connection" || !isAboutConnection(frame)) pair.guestTap.replay(frame);
            const word = spoken[choice % spoken.length] as TappedFrame;
            if (!isAboutConnection(word)) pair.hostTap.replay(word);
          }
          await pair.settle();
          assert.deepEqual([pair.heard, pair.told], [before, told]);
          assert.deepEqual([offered.state, channel.state], ["open", "open"]);
          assert.deepEqual([pair.host.state, pair.guest.state], ["open", "open"]);
          await channel.request(vgpuCommand.destroyDevice, { device: 1 });
          offered.rescind("the next");
          await pair.settle();
          if (where === "a new connection") await pair.guest.close();
        }),
        { numRuns: 25 },
      );
      await earlier.guest.close();
    });
  }

  it("are refused with ESTALE and a code when they are requests", async () => {
    const runtime = createRuntime({ patienceMs: 5000 });
    const served: number[] = [];
    const ends: PacketEndpoint[] = [];
    const end = (generation: bigint, other: number): PacketEndpoint =>
      new PacketEndpoint(
        runtime,
        `generation ${generation}`,
        ChannelType.VGPU_TO_HOST,
        { slice, generation },
        {
          request({ type }) {
            served.push(type);
            return new Uint8Array(0);
          },
        },
        (packet) => ends[other]?.receive(packet),
      );
    ends.push(end(6n, 1), end(7n, 0));
    await assert.rejects(
      async () => ends[0]?.request(vgpuCommand.destroyDevice, { device: 1 }),
      (error) => {
        assert.ok(isControlError(error, "ESTALE"), String(error));
        const { code } = JSON.parse(new TextDecoder().decode(error.privateData)) as { readonly code: string };
        assert.equal(code, "slice-stale");
        return /generation 6 .*generation 7/.test(error.message);
      },
    );
    assert.deepEqual(served, []);
  });

  it("are not wanted between ends that have not agreed on it: an old guest or host works", async () => {
    const pair = await new Pair().connect(VmbusFeature.HEARTBEAT);
    await liveOf(pair, 3n);
    assert.deepEqual(pair.heard, ["open of 3", "request 1", "message", "close of 3"]);
    for (const { relid, payload } of pair.guestTap.sent)
      if (relid !== 0)
        assert.equal(new DataView(payload.buffer).getUint16(2, true), 2, "no identity is sent");
    await pair.guest.close();
  });

  it("never offer a slice to a guest in an earlier generation than it has seen", async () => {
    const pair = await new Pair().connect();
    pair.offer(5n).rescind("gone");
    await pair.settle();
    pair.offer(4n);
    await pair.settle();
    assert.deepEqual(pair.system.devicesOf(pair.bus as Bus), []);
    assert.equal(pair.stale(), 1);
    await pair.guest.close();
  });
});

/** What is said of the connection itself. */
function isAboutConnection({ relid, payload }: TappedFrame): boolean {
  const about: readonly number[] = [
    VmbusMessage.INITIATECONTACT,
    VmbusMessage.VERSIONRESPONSE,
    VmbusMessage.REQUESTOFFERS,
    VmbusMessage.ALLOFFERSDELIVERED,
    VmbusMessage.UNLOAD,
    VmbusMessage.UNLOADRESPONSE,
  ];
  return relid === 0 && about.includes(payload[0] ?? 0);
}
