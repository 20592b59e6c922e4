/** What the tests of this package stand on: a run directory, and a small host on a real socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { identifyConnection, VmbusHost } from "parhelion-buses";
import { createRuntime, type LogRecord } from "parhelion-core";
import {
  ControlConnection,
  ControlError,
  type NodeEvent,
  nodeMessage,
  StatusErrno,
  vmbusFeatures,
} from "parhelion-protocol";
import { TestHost } from "./host.test.fixture.js";
import {
  ATTRIBUTES_FILE,
  type GuestAttributes,
  type GuestKernel,
  type GuestKernelInit,
  startGuestKernel,
} from "./index.js";

export interface Rig {
  readonly directory: string;
  readonly log: LogRecord[];
  /** Guests that made contact, in order. */
  readonly hosts: TestHost[];
  /** Streams of queues that came in from guest kernels, with their tokens. */
  readonly queues: { readonly token: string; readonly socket: net.Socket }[];
  readonly target: { readonly path: string };
  /** Starts a kernel; it is stopped after the test. @param offers made as soon as the contact is */
  start(
    offers?: (host: TestHost) => void,
    init?: Partial<GuestKernelInit>,
  ): Promise<{ kernel: GuestKernel; host: TestHost }>;
}

export async function createRig(t: TestContext): Promise<Rig> {
  const directory = await mkdtemp(path.join(tmpdir(), "guest-"));
  const log: LogRecord[] = [];
  const hosts: TestHost[] = [];
  const queues: Rig["queues"] = [];
  const kernels: GuestKernel[] = [];
  const sockets = new Set<net.Socket>();
  const runtime = createRuntime({ patienceMs: 120_000 });
  let onContact: (host: TestHost) => void = () => {};
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    void (async () => {
      const connection = await identifyConnection(runtime, socket);
      if (connection.kind === "queue") {
        queues.push({ token: connection.connect.token, socket });
        return;
      }
      const vmbus = await VmbusHost.accept(socket, {
        runtime,
        authorize({ credential }) {
          if (credential !== "secret") throw new ControlError(StatusErrno.EACCES, "no such guest");
          return vmbusFeatures;
        },
      });
      const host = new TestHost(runtime, vmbus);
      hosts.push(host);
      onContact(host);
    })().catch(() => {});
  });
  const target = { path: path.join(directory, "vmbus.sock") };
  server.listen(target.path);
  await once(server, "listening");
  t.after(async () => {
    for (const kernel of kernels) await kernel.stop();
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  return {
    directory,
    log,
    hosts,
    queues,
    target,
    async start(offers = () => {}, init = {}) {
      onContact = offers;
      const kernel = await startGuestKernel({
        connect: target,
        credential: "secret",
        directory: path.join(directory, `run${kernels.length}`),
        log: (record) => log.push(record),
        runtime: { patienceMs: 120_000 },
        ...init,
      });
      kernels.push(kernel);
      return { kernel, host: hosts.at(-1) as TestHost };
    },
  };
}

/** One application's open node. */
export interface Application {
  readonly connection: ControlConnection;
  readonly events: NodeEvent[];
  readonly closed: Promise<Error>;
}

export async function openNode(kernel: GuestKernel, node: string): Promise<Application> {
  const socket = net.connect(path.join(kernel.directory, node));
  await once(socket, "connect");
  const connection = new ControlConnection(socket, { peer: node, patienceMs: 120_000 });
  const events: NodeEvent[] = [];
  connection.onEvent((type, body) => {
    if (type === nodeMessage.event.type) events.push(nodeMessage.event.body.decode(body));
  });
  const closed = new Promise<Error>((resolve) => connection.onClose(resolve));
  await connection.call(nodeMessage.hello, { process: process.pid, name: "test" });
  return { connection, events, closed };
}

export async function attributesOf(kernel: GuestKernel): Promise<GuestAttributes> {
  await kernel.settled();
  return JSON.parse(await readFile(path.join(kernel.directory, ATTRIBUTES_FILE), "utf8")) as GuestAttributes;
}

/** Waits until `condition` holds; fails after a great many turns of the event loop instead of hanging. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 50_000; turn++) {
    if (condition()) return;
    // What another thread or process has to do takes time, which turns alone do not.
    await new Promise<void>((resolve) => (turn < 1000 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
  assert.fail(`never: ${what}`);
}
