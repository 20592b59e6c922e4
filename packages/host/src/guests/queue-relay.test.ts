import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { encodeFrame, queueMessage } from "parhelion-protocol";
import { defaultLimits } from "../limits.js";
import { hashOf } from "../secrets.js";
import { VgpuBench } from "../vgpu/bench.test.fixture.js";
import { Guest } from "./guest.js";
import { GuestListener } from "./guest-listener.js";
import { QueueRelay } from "./queue-relay.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 300_000 };

const token = "a".repeat(32);
const credential = "secret";

interface Remote {
  readonly port: number;
  readonly bench: VgpuBench;
  readonly guest: Guest;
  readonly relay: QueueRelay;
  readonly refusals: string[];
}

/** A relay on a port, with an engine behind it that sends back what it gets. */
async function remotely(run: (remote: Remote) => Promise<void>, limit = 4): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-relay-"));
  const engine = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  }).listen(join(directory, "q0"));
  const bench = new VgpuBench({}, join(directory, "q0"));
  const guest = new Guest({
    runtime: createRuntime(),
    record: { id: "00000001", name: "", credentialHash: hashOf(credential), lifetime: "kept" },
    directory,
    orphans: { orphanMs: 1, orphaned: async () => undefined },
  });
  guest.project(bench.slice);
  const refusals: string[] = [];
  const relay = new QueueRelay({
    runtime: createRuntime({ log: ({ event }) => refusals.push(event) }),
    limits: { ...defaultLimits, remoteQueuesPerGuest: limit },
    byCredential: (given) => (guest.recognises(hashOf(given)) ? guest : undefined),
  });
  const listener = new GuestListener({
    runtime: createRuntime(),
    onKernel: (socket) => socket.destroy(),
    onQueue: (socket, queue) => relay.accept(socket, queue),
  });
  const { port } = await listener.listenOnPort("127.0.0.1", 0);
  try {
    await run({ port, bench, guest, relay, refusals });
  } finally {
    await listener.close();
    relay.close();
    engine.close();
    await bench.stop();
    await rm(directory, { recursive: true });
  }
}

function connectFrame(more: { readonly token?: string; readonly credential?: string } = {}): Uint8Array {
  const body = queueMessage.connect.body.encode({ token, credential, ...more });
  return encodeFrame(queueMessage.connect.type, 0, 0, body);
}

async function open(port: number, ...chunks: readonly Uint8Array[]): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  for (const chunk of chunks) socket.write(chunk);
  return socket;
}

/** Whether nothing came before the other end closed. */
async function closedSilently(socket: Socket): Promise<boolean> {
  let bytes = 0;
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await once(socket, "close");
  return bytes === 0;
}

test("a remote guest's queue reaches the engine byte by byte, in any pieces, both ways", limit, () =>
  remotely(async ({ port, bench }) => {
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    bench.slice.rememberToken(token);
    const all = Buffer.concat([connectFrame(), sent]);
    const socket = await open(
      port,
      all.subarray(0, 3),
      all.subarray(3, 9),
      all.subarray(9, 100),
      all.subarray(100),
    );
    const received: Buffer[] = [];
    let length = 0;
    for await (const chunk of socket) {
      received.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length === sent.length) break;
    }
    assert.ok(Buffer.concat(received).equals(sent));
  }),
);

test(
  "a token opens one connection, only with its guest's credential, and none after its queue has gone",
  limit,
  () =>
    remotely(async ({ port, bench, refusals }) => {
      assert.ok(await closedSilently(await open(port, connectFrame())));
      bench.slice.rememberToken(token);
      assert.ok(await closedSilently(await open(port, connectFrame({ credential: "wrong" }))));
      const first = await open(port, connectFrame(), Buffer.from("x"));
      await once(first, "data");
      assert.ok(await closedSilently(await open(port, connectFrame())));
      first.destroy();
      assert.deepEqual(refusals, ["queue.refused", "queue.refused", "queue.refused"]);
    }),
);

test("queues beyond the guest's limit are refused, and all end with the guest", limit, () =>
  remotely(async ({ port, bench, guest, relay }) => {
    for (const each of ["a", "b"]) bench.slice.rememberToken(each.repeat(32));
    const first = await open(port, connectFrame(), Buffer.from("x"));
    await once(first, "data");
    assert.ok(await closedSilently(await open(port, connectFrame({ token: "b".repeat(32) }))));
    const ended = once(first, "close");
    relay.dropGuest(guest);
    await ended;
  }, 1),
);

test("garbage and silence cost a connection and nothing else", limit, () =>
  remotely(async ({ port, bench }) => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.uint8Array({ maxLength: 64 }), async (asQueue, bytes) => {
        const start = asQueue ? Buffer.from([bytes.length + 8, 0, 0, 0, 1, 2, 0, 0]) : Buffer.alloc(0);
        const socket = await open(port, start, bytes);
        socket.end();
        assert.ok(await closedSilently(socket));
      }),
      { numRuns: 50 },
    );
    bench.slice.rememberToken(token);
    const socket = await open(port, connectFrame(), Buffer.from("x"));
    await once(socket, "data");
    socket.destroy();
  }),
);
