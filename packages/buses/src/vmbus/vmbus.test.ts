import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Bus, isKernelError } from "parhelion-core";
import {
  ControlError,
  guestCommand,
  isControlError,
  isProtocolError,
  type ProtocolErrorCode,
  StatusErrno,
  vgpuCommand,
  vmbusMessage,
} from "parhelion-protocol";
import {
  ChannelType,
  type HostChannel,
  type HostChannelInit,
  VmbusConnection,
  type VmbusDevice,
  type VmbusDriver,
  VmbusHost,
} from "../index.js";
import { createRig, linked, type Rig, socketPair, until } from "../rig.test.fixture.js";

const type = "11111111-2222-3333-4444-555555555555";
const instance = (n: number): string => `00000000-0000-0000-0000-${n.toString(16).padStart(12, "0")}`;

/** A driver that opens its channels and remembers which devices it has. */
function openingDriver(
  rig: Rig,
  devices: VmbusDevice[],
  onMessage: (text: string) => void = () => {},
): VmbusDriver {
  return {
    name: "opening",
    bus: rig.vmbus as Bus,
    ids: [{ type }],
    async probe(device) {
      await device.channel.open({
        channelType: ChannelType.VGPU_TO_HOST,
        message: ({ body }) => onMessage(guestCommand.deviceLost.body.decode(body).text),
        request: ({ body }) => body.slice(),
      });
      devices.push(device);
    },
    remove(device) {
      devices.splice(devices.indexOf(device), 1);
    },
  };
}

const echo: Omit<HostChannelInit, "interfaceInstance"> = {
  interfaceType: type,
  request({ body }) {
    const { device } = vgpuCommand.destroyDevice.request.decode(body);
    if (device === 0) return new Promise(() => {});
    if (device === 1)
      throw new ControlError(StatusErrno.EDQUOT, "too many", { privateData: Uint8Array.of(7) });
    return vgpuCommand.createDevice.reply.encode({ device: device + 1 });
  },
};

const ask = { ...vgpuCommand.createDevice, request: vgpuCommand.destroyDevice.request };

describe("a VMBus connection", () => {
  it("agrees on the features that both ends have", async (t) => {
    const { guest, host } = await linked(t);
    assert.equal(guest.features, 0b010n);
    assert.equal(host.features, 0b010n);
  });

  it("refuses a guest in the host's words", async (t) => {
    const [near, far] = await socketPair(t);
    const { runtime, system, vmbus } = createRig();
    const accepting = VmbusHost.accept(far, {
      runtime,
      authorize({ credential }) {
        throw new ControlError(StatusErrno.EACCES, `"${credential}" opens nothing here`);
      },
    });
    const connecting = VmbusConnection.connect(system, vmbus, near, { name: "g", credential: "wrong" });
    await assert.rejects(accepting, (error) => isControlError(error, "EACCES"));
    await assert.rejects(
      connecting,
      (error) => isKernelError(error, "ECONNREFUSED") && /"wrong" opens nothing/.test(error.message),
    );
    assert.deepEqual(system.devicesOf(vmbus as Bus), []);
  });

  it("has the offers that were there added and probed when it is made", async (t) => {
    const rig = createRig();
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver(openingDriver(rig, devices));
    await linked(
      t,
      (host) => [1, 2, 3].map((n) => host.offer({ ...echo, interfaceInstance: instance(n) })),
      rig,
    );
    assert.deepEqual(
      devices.map((device) => device.name),
      [1, 2, 3].map(instance),
    );
    assert.ok(devices.every((device) => device.channel.state === "open" && device.bound));
  });

  it("carries requests both ways, refusals, and messages", async (t) => {
    const rig = createRig();
    const devices: VmbusDevice[] = [];
    const messages: string[] = [];
    await rig.system.registerDriver(openingDriver(rig, devices, (text) => messages.push(text)));
    const channels: HostChannel[] = [];
    await linked(t, (host) => channels.push(host.offer({ ...echo, interfaceInstance: instance(1) })), rig);
    const channel = devices[0]?.channel;
    const hostChannel = channels[0];
    assert.ok(channel && hostChannel);
    assert.equal((await channel.request(ask, { device: 41 })).device, 42);
    await assert.rejects(channel.request(ask, { device: 1 }), (error) => {
      return (
        isControlError(error, "EDQUOT") && error.message === "EDQUOT: too many" && error.privateData[0] === 7
      );
    });
    assert.equal((await hostChannel.request(ask, { device: 77 })).device, 77);
    hostChannel.notify(guestCommand.deviceLost, { text: "hello" });
    await until(() => messages.length === 1, "the message arrives");
    assert.deepEqual(messages, ["hello"]);
  });

  it("completes waiting requests with ENODEV on a rescind, before the driver's remove", async (t) => {
    const rig = createRig();
    const order: string[] = [];
    const devices: VmbusDevice[] = [];
    const driver = openingDriver(rig, devices);
    let endRequests = (): void => {};
    const requestsEnded = new Promise<void>((resolve) => {
      endRequests = resolve;
    });
    await rig.system.registerDriver({
      ...driver,
      async remove(device: VmbusDevice) {
        // Like a lock that is held while a request waits: remove would hang if the rescind did not end it first.
        await requestsEnded;
        order.push("removed");
        driver.remove?.(device, undefined);
      },
    });
    const channels: HostChannel[] = [];
    const closed: string[] = [];
    const { system, vmbus } = await linked(
      t,
      (host) =>
        channels.push(
          host.offer({ ...echo, interfaceInstance: instance(1), close: (reason) => closed.push(reason) }),
        ),
      rig,
    );
    const device = devices[0];
    assert.ok(device);
    const pending = [1, 2, 3].map(() => device.channel.request(ask, { device: 0 }));
    channels[0]?.rescind("the slice was taken back");
    for (const request of pending) await assert.rejects(request, (error) => isKernelError(error, "ENODEV"));
    order.push("completed");
    endRequests();
    await until(() => system.devicesOf(vmbus as Bus).length === 0, "the device goes");
    await until(() => order.length === 2, "its driver is removed");
    assert.deepEqual(order, ["completed", "removed"]);
    assert.deepEqual(closed, ["rescinded: the slice was taken back"]);
    await assert.rejects(
      device.channel.request(ask, {}),
      (error) => isKernelError(error, "ENODEV") && /taken back/.test(error.message),
    );
    await assert.rejects(device.channel.open({ channelType: 0 }), (error) => isKernelError(error, "ENODEV"));
  });

  it("brings a fresh device when the same instance is offered again, even while the old one is leaving", async (t) => {
    const rig = createRig();
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver(openingDriver(rig, devices));
    const { host } = await linked(t, undefined, rig);
    const seen = new Set<VmbusDevice>();
    for (let round = 0; round < 5; round++) {
      const channel = host.offer({ ...echo, interfaceInstance: instance(1) });
      await until(() => devices.some((device) => !seen.has(device) && device.bound), "a fresh device");
      for (const device of devices) seen.add(device);
      channel.rescind("again");
    }
    assert.equal(seen.size, 5);
    await until(() => devices.length === 0, "all are gone");
  });

  it("keeps a second offer of a live instance waiting until the first is rescinded", async (t) => {
    const rig = createRig();
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver(openingDriver(rig, devices));
    const { host } = await linked(t, undefined, rig);
    const first = host.offer({ ...echo, interfaceInstance: instance(1) });
    await until(() => devices.length === 1, "the first device");
    const second = host.offer({ ...echo, interfaceInstance: instance(1) });
    const third = host.offer({ ...echo, interfaceInstance: instance(2) });
    await until(() => third.state === "open", "another instance is not held up");
    assert.equal(second.state, "offered");
    first.rescind("gone");
    await until(() => devices.length === 2, "the second takes the place");
    assert.equal(first.state, "rescinded");
    assert.deepEqual(devices.map((device) => device.channel.relid).sort(), [second.relid, third.relid]);
  });

  it("ends everything at both ends when it is cut", async (t) => {
    const rig = createRig();
    const devices: VmbusDevice[] = [];
    await rig.system.registerDriver(openingDriver(rig, devices));
    const closed: string[] = [];
    const { guest, host, system, vmbus } = await linked(
      t,
      (theHost) => {
        theHost.offer({ ...echo, interfaceInstance: instance(1), close: (reason) => closed.push(reason) });
      },
      rig,
    );
    const pending = devices[0]?.channel.request(ask, { device: 0 });
    host.close(new Error("cut"));
    await assert.rejects(pending ?? Promise.resolve(), (error) => isKernelError(error, "ENODEV"));
    await new Promise<void>((resolve) => guest.onClose(() => resolve()));
    await guest.close();
    assert.deepEqual(system.devicesOf(vmbus as Bus), []);
    assert.equal(guest.root.registered, false);
    assert.equal(closed.length, 1);
    assert.throws(
      () => host.offer({ ...echo, interfaceInstance: instance(2) }),
      (error) => isKernelError(error, "ENODEV"),
    );
  });

  it("says good-bye, after which the host has nothing open", async (t) => {
    const rig = createRig();
    await rig.system.registerDriver(openingDriver(rig, []));
    const closed: string[] = [];
    const { guest, host } = await linked(
      t,
      (theHost) => {
        theHost.offer({ ...echo, interfaceInstance: instance(1), close: (reason) => closed.push(reason) });
      },
      rig,
    );
    await guest.close();
    await new Promise<void>((resolve) => host.onClose(() => resolve()));
    assert.deepEqual(closed, ["closed by the guest"]);
  });

  it("passes the host's refusal to open on to the driver, which may try again", async (t) => {
    const rig = createRig();
    let refuse = true;
    const errors: unknown[] = [];
    const driver: VmbusDriver = {
      name: "stubborn",
      bus: rig.vmbus as Bus,
      ids: [{ type }],
      async probe({ channel }) {
        await assert.rejects(channel.open({ channelType: 0 }), (error) => errors.push(error) > 0);
        refuse = false;
        await channel.open({ channelType: 0 });
        channel.close();
        await channel.open({ channelType: 0 });
      },
    };
    await rig.system.registerDriver(driver);
    const states: string[] = [];
    await linked(
      t,
      (host) => {
        host.offer({
          interfaceType: type,
          interfaceInstance: instance(1),
          open() {
            if (refuse) throw new ControlError(StatusErrno.EBUSY, "not now");
            states.push("open");
          },
          close: () => states.push("close"),
        });
      },
      rig,
    );
    assert.ok(isControlError(errors[0], "EBUSY"));
    assert.deepEqual(states, ["open", "close", "open"]);
  });

  it("is ended by what breaks the protocol, and says why", async (t) => {
    const frame = (relid: number, payload: Uint8Array): Uint8Array => {
      const bytes = new Uint8Array(8 + payload.length);
      new DataView(bytes.buffer).setUint32(0, bytes.length, true);
      new DataView(bytes.buffer).setUint32(4, relid, true);
      bytes.set(payload, 8);
      return bytes;
    };
    const message = (number: number, body: Uint8Array): Uint8Array =>
      frame(0, Uint8Array.of(number, 0, 0, 0, 0, 0, 0, 0, ...body));
    const contact = message(14, vmbusMessage.initiateContact.body.encode({ credential: "x" }));
    const cases: [string, ProtocolErrorCode, Uint8Array[]][] = [
      ["oversize", "bad-size", [Uint8Array.of(0xff, 0xff, 0xff, 0xff)]],
      ["short header", "truncated", [frame(0, Uint8Array.of(1))]],
      ["offers before contact", "no-contact", [message(3, new Uint8Array(0))]],
      ["unknown channel", "unknown-channel", [contact, frame(99, new Uint8Array(16))]],
      ["two contacts", "bad-state", [contact, contact]],
      ["cut field", "truncated", [contact, message(5, Uint8Array.of(1))]],
    ];
    for (const [what, code, bytes] of cases) {
      const [near, far] = await socketPair(t);
      const { runtime } = createRig();
      const accepting = VmbusHost.accept(far, { runtime, authorize: () => 0n });
      near.write(bytes[0] as Uint8Array);
      let reason: unknown;
      try {
        const host = await accepting;
        for (const rest of bytes.slice(1)) near.write(rest);
        reason = await new Promise((resolve) => host.onClose(resolve));
      } catch (error) {
        reason = error;
      }
      assert.ok(
        isProtocolError(reason, code) ||
          (isKernelError(reason, "ECONNRESET") && reason.message.includes(code)),
        `${what}: ${String(reason)}`,
      );
    }
  });

  it("survives any bytes from a guest: the host's end closes or waits, and others go on", async (t) => {
    const { host, runtime } = await linked(t);
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        fc.boolean(),
        async (bytes, framed) => {
          const [near, far] = await socketPair(t);
          if (framed) new DataView(bytes.buffer).setUint8(0, bytes.length);
          const accepting = VmbusHost.accept(far, { runtime, authorize: () => 0n });
          near.resume();
          near.end(bytes);
          await accepting.catch(() => {});
          if (!far.destroyed) await once(far, "close");
        },
      ),
      { numRuns: 60 },
    );
    assert.equal(host.state, "open");
  });

  it("survives any bytes from a host", async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), fc.nat(17), async (bytes, number) => {
        const [near, far] = await socketPair(t);
        const { system, vmbus } = createRig();
        far.resume();
        if (bytes.length > 16) {
          new DataView(bytes.buffer).setUint32(0, bytes.length, true);
          new DataView(bytes.buffer).setUint32(4, 0, true);
          new DataView(bytes.buffer).setUint32(8, number, true);
        }
        far.end(bytes);
        await assert.rejects(VmbusConnection.connect(system, vmbus, near, { name: "g", credential: "" }));
        assert.deepEqual(system.devicesOf(vmbus as Bus), []);
      }),
      { numRuns: 60 },
    );
  });
});
