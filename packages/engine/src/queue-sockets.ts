/** From a connection on the engine's socket to a queue: handshake, token, carrier. */
import type { Socket } from "node:net";
import {
  acceptQueue,
  type KoffiModule,
  Newcomers,
  openSharedMemory,
  type SharedMemoryProvider,
} from "parhelion-protocol";
import type { Engine } from "./engine.js";
import type { EngineLimits } from "./limits.js";
import type { QueueSlot } from "./queue-slot.js";
import { messageOf } from "./refusal.js";
import { listenForQueues, type QueueServer } from "./server.js";

/** EACCES: what a token that opens nothing is answered with. */
const EACCES = 13;
/** What one of another slice or generation is answered with; it stays what it was. */
const ESTALE = 116;

/** @throws Refusal `bad-queue-path` */
export async function acceptQueues(
  engine: Engine,
  path: string,
  limits: EngineLimits,
  koffi: KoffiModule | undefined,
  log: (line: string) => void,
): Promise<QueueServer> {
  // Without it queues are streams.
  const sharedMemory = koffi === undefined ? undefined : openSharedMemory(koffi);
  const newcomers = new Newcomers(limits.handshakes);
  return listenForQueues({
    path,
    connections: limits.devices + limits.handshakes,
    onConnection: (socket) => {
      newcomers.add(socket);
      void admit(engine, socket, sharedMemory, log).then(() => newcomers.known(socket));
    },
  });
}

async function admit(
  engine: Engine,
  socket: Socket,
  sharedMemory: SharedMemoryProvider | undefined,
  log: (line: string) => void,
): Promise<void> {
  let slot: QueueSlot | undefined;
  try {
    const port = await acceptQueue(socket, {
      sharedMemory,
      authorize: (token, owner) => {
        if (!engine.serves(owner))
          return {
            outcome: "refused",
            errno: ESTALE,
            message: "slice-stale: the token is of another slice or generation",
          };
        slot = engine.redeem(token);
        return slot === undefined
          ? { outcome: "refused", errno: EACCES, message: "no queue waits for this token" }
          : { outcome: "granted" };
      },
    });
    // A connected application is reason enough for this process to live.
    port.ref();
    slot?.attach(port);
  } catch (error) {
    log(`a connection did not become a queue: ${messageOf(error)}`);
    slot?.end(error instanceof Error ? error : new Error(String(error)));
  }
}
