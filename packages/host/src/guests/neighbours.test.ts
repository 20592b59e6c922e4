/** What one guest does to the host is not felt by another: on real sockets, with engines that are played. */
import assert from "node:assert/strict";
import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { VGPU_CHANNEL } from "parhelion-buses";
import { createRuntime, type LogRecord } from "parhelion-core";
import { isControlError, VmbusMessage, vgpuCommand, vmbusMessage } from "parhelion-protocol";
import { type Host, startHost } from "../host.js";
import { deviceRequest } from "../vgpu/bench.test.fixture.js";
import type { CreatedGuest } from "./guests.js";
import { Kernel } from "./kernel.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };
const entry = new URL("../engines/scripted-engine.test.fixture.js", import.meta.url).pathname;

interface Town {
  readonly host: Host;
  readonly directory: string;
  readonly log: readonly LogRecord[];
  /** A connection to the host's socket; what it is sent is read unless it is told not to. */
  raw(bytes?: Uint8Array): Socket;
  kernel(guest: CreatedGuest): Promise<Kernel>;
}

async function inTown(run: (town: Town) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-"));
  const log: LogRecord[] = [];
  const sockets: Socket[] = [];
  const host = await startHost({
    launcher: { entry, environmentFor: async () => ({ BEHAVIOUR: "good" }) },
    stateDirectory: directory,
    store: "memory",
    adapter: "software",
    log: (record) => log.push(record),
  });
  const open = (): Socket => {
    const socket = connect(join(directory, "vmbus.sock"));
    socket.on("error", () => undefined);
    sockets.push(socket);
    return socket;
  };
  try {
    await run({
      host,
      directory,
      log,
      raw: (bytes) => {
        const socket = open().resume();
        if (bytes !== undefined) socket.write(bytes);
        return socket;
      },
      kernel: (guest) => Kernel.connect(open(), guest.credential, createRuntime()),
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await host.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** What an application needs of the host, from its birth to its queue. */
async function works(kernel: Kernel): Promise<void> {
  const process = await kernel.newProcess();
  const channel = await kernel.open(VGPU_CHANNEL);
  const asked = { privateData: deviceRequest() };
  const { device } = await channel.request(vgpuCommand.createDevice, asked, { process });
  const { context } = await channel.request(vgpuCommand.createContextVirtual, { device }, { process });
  const { queue } = await channel.request(vgpuCommand.createHwQueue, { context }, { process });
  const { fenceValue } = await channel.request(vgpuCommand.submitCommandToHwQueue, { queue }, { process });
  assert.ok(fenceValue > 0n);
}

function frame(relid: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(8 + payload.length, 0);
  head.writeUInt32LE(relid, 4);
  return Buffer.concat([head, payload]);
}

function message(type: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(type, 0);
  return frame(0, Buffer.concat([head, body]));
}

const contact = (credential: string): Buffer =>
  message(VmbusMessage.INITIATECONTACT, vmbusMessage.initiateContact.body.encode({ credential }));

test("everything in a state directory is its owner's alone", limit, () =>
  inTown(async ({ host, directory }) => {
    const guest = await host.guestCreate();
    assert.match(guest.credential, /^[0-9a-f]{64}$/);
    const found = [
      directory,
      ...(await readdir(directory, { recursive: true })).map((name) => join(directory, name)),
    ];
    assert.ok(found.some((path) => path.endsWith("vmbus.sock")) && found.includes(guest.directory));
    for (const path of found) {
      const status = await lstat(path);
      const mode = (status.mode & 0o777).toString(8);
      assert.equal(mode, status.isDirectory() ? "700" : "600", path);
    }
  }),
);

test("a crowd of connections that say nothing, or nonsense, keeps no guest out", limit, () =>
  inTown(async ({ host, log, raw, kernel }) => {
    const guest = await host.guestCreate();
    const crowd = (count: number, words?: Uint8Array) =>
      Promise.all(
        Array.from({ length: count }, () => {
          const socket = raw(words);
          return new Promise<void>((resolve) => {
            socket.once("connect", resolve);
            socket.once("close", () => resolve());
          });
        }),
      );
    // All together fewer than the system lets wait to be accepted; the first are more than may be without a credential.
    await crowd(300, Buffer.from([0, 0, 1, 0, 0, 0, 0, 0]));
    await crowd(50);
    await crowd(50, Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await crowd(50, Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]));
    await works(await kernel(guest));
    assert.deepEqual(
      log.filter(({ level }) => level === "error"),
      [],
    );
    const told = log.filter(({ level, event }) => level === "info" && event === "connection.unidentified");
    assert.ok(told.length <= 10, `${told.length} strangers are told of`);
  }),
);

test("guessing credentials gains nothing, and fills no log", limit, () =>
  inTown(async ({ host, log, raw, kernel }) => {
    const guest = await host.guestCreate();
    const guesses = ["", "0".repeat(64), guest.credential.slice(0, 63), `${guest.credential}0`, guest.id];
    const refused = Array.from({ length: 60 }, (_, i) => {
      const socket = raw(contact(guesses[i % guesses.length] as string));
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await Promise.all(refused);
    await works(await kernel(guest));
    const warnings = log.filter(({ level, event }) => level === "warn" && event === "guest.refused");
    assert.ok(warnings.length >= 1 && warnings.length <= 10, `${warnings.length} warnings`);
    for (const record of log)
      assert.ok(!JSON.stringify(record.fields).includes(guest.credential), "a credential is in the log");
  }),
);

test("a guest that takes all it may have, and reads nothing, leaves another's as it was", limit, () =>
  inTown(async ({ host, raw, kernel }) => {
    const [greedy, modest] = [await host.guestCreate(), await host.guestCreate()];
    const glutton = await kernel(greedy);
    // Processes up to the limit, which is the guest's own.
    await glutton.newProcess();
    const processes = await Promise.allSettled(Array.from({ length: 1200 }, () => glutton.newProcess()));
    const refusals = processes.flatMap((each) => (each.status === "rejected" ? [each.reason] : []));
    assert.equal(refusals.length, 1 + 1200 - 1024);
    for (const refusal of refusals) assert.ok(isControlError(refusal), String(refusal));
    // The same guest can't come twice, and what it sends is not waited for.
    glutton.connection.close();
    const flooding = raw(contact(greedy.credential));
    flooding.pause();
    const offers = message(VmbusMessage.REQUESTOFFERS, new Uint8Array(0));
    const flood = Buffer.concat(Array.from({ length: 2000 }, () => offers));
    for (let i = 0; i < 100; i++) flooding.write(flood);
    await works(await kernel(modest));
  }),
);
