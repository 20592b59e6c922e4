import assert from "node:assert/strict";
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { isPortClosedError } from "../errors.js";
import { closed, koffi, openPair, sharedMemory } from "../pairs.test.fixture.js";
import type { Port } from "../port.js";
import { fill, isIntact } from "../records.test.fixture.js";
import type { QueueGeometry } from "../ring-layout.js";
import { HEAD, READER_SLEEPS, TAIL } from "../ring-layout.js";
import type { OfferedMemory, SharedMemoryProvider } from "./provider.js";

/** Far beyond what any of these needs; a lost wake-up shall fail, not hang. In milliseconds. */
const timeout = 60_000;

const geometry = { toEngine: 64 * 1024, toClient: 64 * 1024 };
const skip = sharedMemory === undefined ? "koffi does not load here" : false;
const provider = sharedMemory as SharedMemoryProvider;

async function exchange(client: Port, engine: Port): Promise<void> {
  const arrived = new Promise<boolean>((resolve) =>
    engine.onReadable(() => {
      const word = engine.rx.next();
      if (word < 0) return;
      resolve(isIntact(engine.rx, word, 5));
      engine.rx.done();
    }),
  );
  fill(client.tx, client.tx.begin(64), 5, 64);
  client.tx.flush();
  assert.equal(await arrived, true);
}

/** Offers memory and takes the offer back; says what Node warned of. Worker threads keep count of the descriptors that Node opened. */
const offersInWorker = `
  const { parentPort, workerData } = require("node:worker_threads");
  const warnings = [];
  process.on("warning", ({ message }) => warnings.push(message));
  (async () => {
    const { openSharedMemory } = await import(workerData.provider);
    const { default: koffi } = await import(workerData.koffi);
    const { mapping, closeDescriptor } = openSharedMemory(koffi).offer({ toEngine: 65536, toClient: 65536 });
    closeDescriptor();
    mapping.retire();
    setImmediate(() => parentPort.postMessage(warnings));
  })();
`;

test("a worker thread's descriptors are closed where they were opened", { timeout, skip }, async () => {
  const workerData = {
    provider: new URL("./provider.js", import.meta.url).href,
    koffi: import.meta.resolve("koffi"),
  };
  const worker = new Worker(offersInWorker, { eval: true, workerData });
  const warnings = await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  await worker.terminate();
  assert.deepEqual(warnings, []);
});

/** A client that offers something else than it should; everything else is the real provider. */
function offering(change: (offer: OfferedMemory) => OfferedMemory): SharedMemoryProvider {
  return {
    offer: (wanted: QueueGeometry) => change(provider.offer(wanted)),
    send: provider.send.bind(provider),
    receive: provider.receive.bind(provider),
    open: provider.open.bind(provider),
    close: provider.close.bind(provider),
  };
}

const changed =
  (fields: (memory: OfferedMemory["memory"]) => Partial<OfferedMemory["memory"]>) =>
  (offer: OfferedMemory) => ({
    ...offer,
    memory: { ...offer.memory, ...fields(offer.memory) },
  });

/** Says what it should and sends another descriptor. */
const sending =
  (descriptor: (memory: OfferedMemory["memory"]) => number) =>
  (offer: OfferedMemory): OfferedMemory => ({
    ...offer,
    descriptor: descriptor(offer.memory),
  });

/** A file of the right size that is no sealed memory. */
function plainFile(context: TestContext, directory: string, nonce: string): number {
  const name = mkdtempSync(join(directory, "parhelion-"));
  const fd = openSync(join(name, "f"), constants.O_RDWR | constants.O_CREAT);
  writeSync(fd, Buffer.from(nonce, "hex"), 0, 16, 0);
  writeSync(fd, Buffer.from([0]), 0, 1, 4096 + 128 * 1024 - 1);
  context.after(() => {
    closeSync(fd);
    rmSync(name, { recursive: true });
  });
  return fd;
}

/** Memory of the right size that its owner could still shrink. */
function unsealedMemory(context: TestContext, nonce: string): number {
  const libc = koffi?.load("libc.so.6");
  const create = libc?.func("int memfd_create(const char *name, unsigned int flags)") as (
    n: string,
    f: number,
  ) => number;
  const fd = create("parhelion-queue-unsealed", 0);
  context.after(() => closeSync(fd));
  writeSync(fd, Buffer.from(nonce, "hex"), 0, 16, 0);
  writeSync(fd, Buffer.from([0]), 0, 1, 4096 + 128 * 1024 - 1);
  return fd;
}

const unfit: readonly [string, (context: TestContext) => (offer: OfferedMemory) => OfferedMemory][] = [
  ["another size", () => changed(() => ({ bytes: 4096n }))],
  ["another header", () => changed(() => ({ header: 8192 }))],
  ["another kind", () => changed(() => ({ kind: 1 }))],
  ["a descriptor that is not open", () => sending(() => 999_999)],
  ["a descriptor that is standard input", () => sending(() => 0)],
  ["a plain file", (context) => sending(({ nonce }) => plainFile(context, tmpdir(), nonce))],
  [
    "a file in a memory file system",
    (context) => sending(({ nonce }) => plainFile(context, "/dev/shm", nonce)),
  ],
  ["memory whose size is not sealed", (context) => sending(({ nonce }) => unsealedMemory(context, nonce))],
  ["the wrong nonce", () => changed(() => ({ nonce: "ab".repeat(16) }))],
];
for (const [what, change] of unfit) {
  test(`${what} is not mapped; the queue comes up as a stream`, { skip, timeout }, async (context) => {
    const { client, engine, close } = await openPair("shared-memory", geometry, {
      sharedMemory: offering(change(context)),
    });
    context.after(close);
    assert.equal(client.carrier, "stream");
    assert.equal(engine.carrier, "stream");
    await exchange(client, engine);
  });
}

test("a system that refuses to make memory leaves a stream", { skip, timeout }, async () => {
  const refusing: SharedMemoryProvider = {
    ...offering((offer) => offer),
    offer() {
      throw new Error("no memory");
    },
  };
  const { client, engine, close } = await openPair("stream-unix", geometry, { sharedMemory: refusing });
  assert.equal(client.carrier, "stream");
  await exchange(client, engine);
  await close();
});

/** A pair whose memory the test can scribble on, as a hostile client could. */
async function scribbled() {
  let memory: OfferedMemory | undefined;
  const watched = offering((offer) => {
    memory = offer;
    return offer;
  });
  const pair = await openPair("shared-memory", geometry, { sharedMemory: watched });
  assert.equal(pair.engine.carrier, "shared-memory");
  return { ...pair, mapping: (memory as OfferedMemory).mapping };
}

for (const [what, scribble] of [
  ["a head beyond the ring", 2 ** 20],
  ["a head that goes back", -64],
  ["a head between two records", 12],
] as const) {
  test(`${what} closes the engine's end`, { skip, timeout }, async () => {
    const { client, engine, mapping } = await scribbled();
    const ends = Promise.all([closed(engine), closed(client)]);
    Atomics.store(mapping.toEngine.control, HEAD, scribble);
    engine.onReadable(() => {
      while (engine.rx.next() >= 0) engine.rx.done();
    });
    const [reason] = await ends;
    assert.ok(isPortClosedError(reason) && reason.code === "protocol", String(reason));
  });
}

test("a tail that goes back closes the engine's end when it needs room", { skip, timeout }, async () => {
  const { client, engine, mapping } = await scribbled();
  const ends = Promise.all([closed(engine), closed(client)]);
  Atomics.store(mapping.toClient.control, TAIL, -64);
  assert.throws(
    () => engine.tx.begin(1024),
    (error) => isPortClosedError(error) && error.code === "protocol",
  );
  await ends;
});

test("a doorbell that is rung for nothing does no harm", { skip, timeout }, async () => {
  const { client, engine, mapping, close } = await scribbled();
  let calls = 0;
  engine.onReadable(() => {
    calls++;
    assert.equal(engine.rx.next(), -1);
  });
  for (let i = 0; i < 50; i++) {
    // The engine seems asleep to the client at each flush.
    Atomics.store(mapping.toEngine.control, READER_SLEEPS, 1);
    client.expectReply();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(calls <= 1);
  await exchange(client, engine);
  await close();
});

test("a doorbell that rings late, for what was read before, leaves the reader awake to the next one", {
  skip,
  timeout,
}, async (context) => {
  const { client, engine, mapping, close } = await scribbled();
  context.after(close);
  const turns = async (enough: () => boolean): Promise<boolean> => {
    for (let turn = 0; turn < 10_000 && !enough(); turn++)
      await new Promise((resolve) => setImmediate(resolve));
    return enough();
  };
  const asleep = (): boolean => Atomics.load(mapping.toEngine.control, READER_SLEEPS) === 1;
  let read = 0;
  engine.onReadable(() => {
    for (; engine.rx.next() >= 0; engine.rx.done()) read++;
  });
  for (let round = 1; round <= 3; round++) {
    assert.ok(await turns(asleep), "the reader sleeps");
    // A writer that saw the reader asleep before it published, and was held up until the reader had found that and slept again.
    (client as unknown as { published(): void }).published();
    assert.ok(!asleep());
    await turns(asleep);
    fill(client.tx, client.tx.begin(64), round, 64);
    client.tx.flush();
    assert.ok(await turns(() => read === round), "what is published next is noticed");
  }
});

test("a closed port leaves neither a mapping nor a descriptor, and its views are dead, not deadly", {
  skip,
}, async () => {
  const mappings = (): number =>
    readFileSync("/proc/self/maps", "utf8").split("memfd:parhelion-queue").length - 1;
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  await (await openPair("shared-memory", geometry)).close();
  const [mapsBefore, descriptorsBefore] = [mappings(), descriptors()];
  for (let i = 0; i < 20; i++) {
    const { client, engine, close } = await openPair("shared-memory", geometry);
    assert.equal(client.carrier, "shared-memory");
    assert.ok(mappings() > mapsBefore);
    const { u32 } = client.tx;
    u32[100] = 77;
    assert.equal(engine.rx.u32[100], 77, "both ends see the same memory");
    await close();
    assert.equal(u32[100], 0, "a stale view reads zeros");
    u32[100] = 1;
    assert.equal(engine.rx.u32[100], 0, "what is written to one reaches nobody");
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(mappings(), mapsBefore);
  assert.ok(descriptors() <= descriptorsBefore, "no descriptor stays open");
});
