/** Both ends of a queue in this process, over each carrier. */
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acceptQueue } from "./handshake/accept.js";
import { connectQueue } from "./handshake/connect.js";
import type { QueueOptions } from "./handshake/queue-options.js";
import { createInProcessPair } from "./in-process.js";
import type { KoffiModule } from "./mapped-memory/libc.js";
import { openSharedMemory, type SharedMemoryProvider } from "./mapped-memory/provider.js";
import type { CarrierKind, Port } from "./port.js";
import type { QueueGeometry } from "./ring-layout.js";

export type Way = "in-process" | "stream-unix" | "stream-tcp" | "shared-memory";
export const ways: readonly Way[] = ["in-process", "stream-unix", "stream-tcp", "shared-memory"];
export const waysBetweenProcesses: readonly Way[] = ["stream-unix", "stream-tcp", "shared-memory"];

export const token = "00112233445566778899aabbccddeeff";

// Not a dependency of this package: whoever has it hands it in.
const koffiName = "koffi";
export const koffi: KoffiModule | undefined = await import(koffiName).then(
  (module: { default: KoffiModule }) => module.default,
  () => undefined,
);
export const sharedMemory: SharedMemoryProvider | undefined =
  koffi === undefined ? undefined : openSharedMemory(koffi);

/** Why tests of a way can't run here, or false. */
export function skipReason(way: Way): string | false {
  return way === "shared-memory" && sharedMemory === undefined ? "koffi does not load here" : false;
}

export function carrierOf(way: Way): CarrierKind {
  return way === "stream-unix" || way === "stream-tcp" ? "stream" : way;
}

export interface Listening {
  readonly endpoint: { path: string } | { host: string; port: number };
  readonly directory: string;
  /** Stops listening; connections go on. */
  close(): void;
}

/** Listens in a directory of its own, or on a loopback port. */
export async function listen(way: Way, onSocket: (socket: Socket) => void): Promise<Listening> {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-carrier-"));
  const path = join(directory, "q0");
  const server = createServer({ pauseOnConnect: true }, onSocket);
  await new Promise<void>((resolve) =>
    server.listen(way === "stream-tcp" ? { host: "127.0.0.1", port: 0 } : { path }, resolve),
  );
  return {
    endpoint:
      way === "stream-tcp" ? { host: "127.0.0.1", port: (server.address() as AddressInfo).port } : { path },
    directory,
    close() {
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface Pair {
  readonly client: Port;
  readonly engine: Port;
  /** Closes both and waits until both have said so. */
  close(): Promise<void>;
}

export const closed = (port: Port): Promise<Error> => new Promise((resolve) => port.onClose(resolve));

export async function openPair(way: Way, geometry: QueueGeometry, options: QueueOptions = {}): Promise<Pair> {
  const pair =
    way === "in-process" ? createInProcessPair({ geometry }) : await connectPair(way, geometry, options);
  const [client, engine] = pair;
  // A test that waits for a port shall not end before it.
  client.ref();
  engine.ref();
  return {
    client,
    engine,
    async close() {
      const both = Promise.all([closed(client), closed(engine)]);
      client.close();
      engine.close();
      await both;
    },
  };
}

async function connectPair(way: Way, geometry: QueueGeometry, options: QueueOptions): Promise<[Port, Port]> {
  const provider = way === "shared-memory" ? sharedMemory : undefined;
  const common = { sharedMemory: provider, ...options };
  let accept: (port: Promise<Port>) => void = () => {};
  const accepted = new Promise<Port>((resolve) => {
    accept = resolve;
  });
  const listening = await listen(way, (socket) =>
    accept(
      acceptQueue(socket, {
        authorize: () => ({ outcome: "granted", limit: geometry }),
        ...common,
      }),
    ),
  );
  try {
    return await Promise.all([
      connectQueue({ endpoint: listening.endpoint, token, geometry, ...common }),
      accepted,
    ]);
  } finally {
    listening.close();
  }
}
