import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  GLOBAL_CHANNEL,
  PCI_CHANNEL,
  pciHeader,
  VGPU_CHANNEL,
  type VmbusChannel,
  vgpuRegisters,
} from "parhelion-buses";
import { isKernelError, type LogRecord } from "parhelion-core";
import { guestCommand, isControlError, pciCommand, vgpuCommand } from "parhelion-protocol";
import { type Host, startHost } from "../host.js";
import type { HostOptions } from "../host-options.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import type { CreatedGuest } from "./guests.js";
import { Kernel } from "./kernel.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const launcher = {
  entry: new URL("../engines/scripted-engine.test.fixture.js", import.meta.url).pathname,
  environmentFor: async () => ({ BEHAVIOUR: "good" }),
};

async function withHost(
  run: (host: Host, log: LogRecord[]) => Promise<void>,
  options: Partial<HostOptions> = {},
): Promise<void> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "ph-"));
  const log: LogRecord[] = [];
  const host = await startHost({
    launcher,
    stateDirectory,
    store: "memory",
    adapter: "software",
    log: (record) => log.push(record),
    backOff: { firstMs: 1 },
    ...options,
  });
  try {
    await run(host, log);
  } finally {
    await host.stop();
    assert.deepEqual(await readdir(stateDirectory), []);
    await rm(stateDirectory, { recursive: true });
  }
}

function kernelOf(guest: CreatedGuest, credential = guest.credential): Promise<Kernel> {
  return Kernel.connect(connect(guest.vmbus), credential);
}

/** What comes about at all comes about in milliseconds; the bound ends a test that has failed. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 20_000; !(await condition()); left--) {
    assert.ok(left > 0, `it did not come about: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const newDevice = (channel: VmbusChannel, process: number, label = "") =>
  channel.request(vgpuCommand.createDevice, { privateData: deviceRequest(label) }, { process });

test("a guest kernel is offered its vGPU, whose PCI function names the channel", limit, () =>
  withHost(async (host) => {
    const guest = await host.guestCreate({ slices: Array(2).fill({}) });
    const kernel = await kernelOf(guest);
    assert.deepEqual(
      [GLOBAL_CHANNEL, VGPU_CHANNEL, PCI_CHANNEL].map((type) => kernel.devices(type).length),
      [1, 2, 2],
    );
    const seen: [number, string, bigint, number][] = [];
    for (const index of [0, 1]) {
      const pci = await kernel.open(PCI_CHANNEL, index);
      const read = async <T>(register: { offset: number; length: number; decode(bytes: Uint8Array): T }) =>
        register.decode((await pci.request(pciCommand.configRead, register)).data);
      seen.push([
        (await pci.request(pciCommand.queryFunction, {})).slot,
        await read(vgpuRegisters.channelInstance),
        await read(vgpuRegisters.luid),
        await read(pciHeader.vendorId),
      ]);
    }
    const [a, b] = (await host.status()).slices;
    assert.deepEqual(seen, [
      [0, a?.uuid, 1n, 0x1414],
      [8, b?.uuid, 2n, 0x1414],
    ]);
    await kernel.connection.close();
  }),
);

test("a wrong credential, a removed guest's and a second kernel are refused and told why", limit, () =>
  withHost(async (host, log) => {
    const [a, b] = [await host.guestCreate(), await host.guestCreate()];
    const refused = (words: RegExp) => (error: unknown) => {
      assert.ok(isKernelError(error, "ECONNREFUSED"), String(error));
      assert.match(error.message, words);
      return true;
    };
    await assert.rejects(kernelOf(a, "0".repeat(64)), refused(/no guest's/));
    await assert.rejects(kernelOf(a, ""), refused(/no guest's/));
    const kernel = await kernelOf(a);
    await assert.rejects(kernelOf(a), refused(/connected for guest/));
    await host.guestRemove(b.id);
    await assert.rejects(kernelOf(b), refused(/no guest's/));
    await kernel.connection.close();
    await until(async () => (await host.status()).guests[0]?.connection === "none");
    await (await kernelOf(a)).connection.close();
    assert.ok(!log.some((record) => JSON.stringify(record).includes(a.credential)));
  }),
);

test("devices live on the channel, and everything goes when the kernel does, however it does", limit, () =>
  withHost(async (host) => {
    const guest = await host.guestCreate();
    for (const end of ["close", "crash"] as const) {
      const socket = connect(guest.vmbus);
      const kernel = await Kernel.connect(socket, guest.credential);
      const process = await kernel.newProcess();
      const channel = await kernel.open(VGPU_CHANNEL);
      assert.ok((await newDevice(channel, process)).device > 0);
      const { slices, guests } = await host.status();
      assert.deepEqual([slices[0]?.devices, guests[0]?.processes.length], [1, 1]);
      assert.equal(guests[0]?.connection, "local");
      if (end === "close") await kernel.connection.close();
      else socket.destroy();
      await until(async () => (await host.status()).slices[0]?.devices === 0);
    }
  }),
);

test("when the engine dies the guest hears of every device, with the reason", limit, () =>
  withHost(async (host) => {
    const guest = await host.guestCreate();
    const kernel = await kernelOf(guest);
    const process = await kernel.newProcess();
    const channel = await kernel.open(VGPU_CHANNEL);
    const devices = [await newDevice(channel, process), await newDevice(channel, process)].map(
      ({ device }) => device,
    );
    await assert.rejects(newDevice(channel, process, "die"), (error) => {
      assert.ok(isControlError(error, "ENODEV"), String(error));
      assert.match(error.message, /last words/);
      return true;
    });
    await until(() => kernel.events.length === 2);
    for (const [i, event] of kernel.events.entries()) {
      const { device, reason, text } = guestCommand.deviceLost.body.decode(event.body);
      assert.deepEqual([event.process, device, reason], [process, devices[i], "unknown"]);
      assert.match(text, /exited with code 7/);
    }
    await newDevice(channel, process);
    assert.equal((await host.status()).slices[0]?.engine.starts, 2);
    await kernel.connection.close();
  }),
);

test("when a fresh engine finds another adapter the guest is told, and reads what it is now", limit, () => {
  const behaviours = ["good", "hardware"];
  const changing = { entry: launcher.entry, environmentFor: async () => ({ BEHAVIOUR: behaviours.shift() }) };
  return withHost(
    async (host) => {
      const kernel = await kernelOf(await host.guestCreate());
      const channel = await kernel.open(VGPU_CHANNEL);
      const render = async () =>
        (await channel.request(vgpuCommand.queryAdapterInfo, { infoType: 57 })).privateData[0];
      assert.equal(await render(), 0x85);
      await newDevice(channel, await kernel.newProcess());
      await until(() => kernel.events.length === 1);
      assert.equal(kernel.events[0]?.type, guestCommand.adapterInfoChanged.type);
      assert.equal(await render(), 0x81);
      await kernel.connection.close();
    },
    { launcher: changing },
  );
});

test("removing a guest rescinds its channels: what waits settles, and its engine ends", limit, () =>
  withHost(async (host) => {
    const guest = await host.guestCreate();
    const kernel = await kernelOf(guest);
    const process = await kernel.newProcess();
    const channel = await kernel.open(VGPU_CHANNEL);
    await newDevice(channel, process);
    const pid = (await host.status()).slices[0]?.engine.pid as number;
    const waiting = newDevice(channel, process, "silence");
    const settled = assert.rejects(waiting, (error) => isKernelError(error, "ENODEV"));
    const closed = new Promise((resolve) => kernel.connection.onClose(resolve));
    await host.guestRemove(guest.id);
    await settled;
    await closed;
    await until(() => kernel.devices(VGPU_CHANNEL).length === 0);
    assert.throws(() => globalThis.process.kill(pid, 0), { code: "ESRCH" });
    await kernel.connection.close();
  }),
);

test("unknown commands are refused as not supported, and the channel goes on", limit, () =>
  withHost(async (host) => {
    const kernel = await kernelOf(await host.guestCreate());
    const process = await kernel.newProcess();
    const channel = await kernel.open(VGPU_CHANNEL);
    const unknown = { ...vgpuCommand.isFeatureEnabled, type: 38 };
    await assert.rejects(channel.request(unknown, {}, { process }), (error) =>
      isControlError(error, "EPERM"),
    );
    assert.equal((await channel.request(vgpuCommand.isFeatureEnabled, { feature: 1 })).version, 0);
    await kernel.connection.close();
  }),
);

test("garbage on the socket, before and after the contact, ends that connection and no other", limit, () =>
  withHost(async (host) => {
    const [victim, guest] = [await host.guestCreate(), await host.guestCreate()];
    const kernel = await kernelOf(guest);
    const process = await kernel.newProcess();
    const channel = await kernel.open(VGPU_CHANNEL);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("raw", "framed", "contacted"),
        fc.uint8Array({ maxLength: 80 }),
        async (how, bytes) => {
          const socket = connect(victim.vmbus);
          socket.on("error", () => undefined);
          const frame = Buffer.alloc(8 + bytes.length);
          frame.writeUInt32LE(frame.length, 0);
          frame.set(bytes, 8);
          if (how === "contacted") {
            const other = await Kernel.connect(socket, victim.credential);
            socket.end(frame);
            await other.connection.close();
          } else {
            socket.end(how === "raw" ? bytes : frame);
            socket.resume();
          }
          if (!socket.closed) await once(socket, "close");
          await until(async () => (await host.status()).guests[0]?.connection === "none");
        },
      ),
      { numRuns: 60 },
    );
    await newDevice(channel, process);
    await kernel.connection.close();
  }),
);

test("a crowd that says nothing, or not who it is, keeps no guest out and fills no log", limit, () =>
  withHost(
    async (host, log) => {
      const guest = await host.guestCreate();
      const port = host.address?.port as number;
      const ways = [(): Socket => connect(port, "127.0.0.1"), (): Socket => connect(guest.vmbus)];
      // Nothing at all; the beginning of a frame that never ends.
      for (const begin of [Buffer.alloc(0), Buffer.from([0xff, 0xff, 0, 0, 0, 0, 0, 0])]) {
        for (const way of ways) {
          const crowd: Socket[] = [];
          while (crowd.length < 1100) {
            const next = Array.from({ length: 50 }, () => way().on("error", () => undefined));
            for (const socket of next) socket.write(begin);
            await Promise.all(next.map((socket) => once(socket, "connect")));
            crowd.push(...next);
            // A turn of the event loop accepts one.
            for (const _ of next) await new Promise((resolve) => setImmediate(resolve));
          }
          await (await Kernel.connect(connect(guest.vmbus), guest.credential)).connection.close();
          await until(async () => (await host.status()).guests[0]?.connection === "none");
          await (await Kernel.connect(way(), guest.credential)).connection.close();
          await until(async () => (await host.status()).guests[0]?.connection === "none");
          for (const socket of crowd) socket.destroy();
        }
      }
      assert.deepEqual(
        log.filter(({ level }) => level === "warn"),
        [],
      );
      for (let i = 0; i < 30; i++) await assert.rejects(kernelOf(guest, `${i}`), /no guest's/);
      assert.equal(log.filter(({ level }) => level === "warn").length, 10);
    },
    { listen: { port: 0 } },
  ),
);

test("a frozen engine does not hold up the stop", limit, () =>
  withHost(
    async (host, log) => {
      const kernel = await kernelOf(await host.guestCreate());
      await newDevice(await kernel.open(VGPU_CHANNEL), await kernel.newProcess());
      const pid = (await host.status()).slices[0]?.engine.pid as number;
      globalThis.process.kill(pid, "SIGSTOP");
      await host.stop();
      assert.throws(() => globalThis.process.kill(pid, 0), { code: "ESRCH" });
      assert.ok(log.some(({ event }) => event === "host.stopped"));
      await kernel.connection.close();
    },
    { deadlines: { stopMs: 20 } },
  ),
);

test("a stop that exceeds its deadline kills what is left", limit, () =>
  withHost(
    async (host, log) => {
      const kernel = await kernelOf(await host.guestCreate());
      await newDevice(await kernel.open(VGPU_CHANNEL), await kernel.newProcess());
      const pid = (await host.status()).slices[0]?.engine.pid as number;
      globalThis.process.kill(pid, "SIGSTOP");
      await host.stop();
      assert.throws(() => globalThis.process.kill(pid, 0), { code: "ESRCH" });
      assert.ok(log.some(({ event }) => event === "host.stop-slow"));
      await kernel.connection.close();
    },
    { deadlines: { stopMs: 600_000 }, stopMs: 30 },
  ),
);

test("when the host stops a guest's kernel sees its devices go", limit, () =>
  withHost(async (host) => {
    const kernel = await kernelOf(await host.guestCreate());
    const process = await kernel.newProcess();
    const channel = await kernel.open(VGPU_CHANNEL);
    await newDevice(channel, process);
    await host.stop();
    await until(() => kernel.devices(VGPU_CHANNEL).length === 0);
    await assert.rejects(newDevice(channel, process), (error) => isKernelError(error, "ENODEV"));
    await kernel.connection.close();
  }),
);
