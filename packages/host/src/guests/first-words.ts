/**
 * What a new connection is for. Bytes 4 to 7 of a VMBus frame are its relid, 0 in the first one; those of a control message are
 * its type and flags, and only queueMessage.connect may come here.
 */
import type { Socket } from "node:net";
import type { Clock } from "parhelion-core";
import { queueMessage } from "parhelion-protocol";

export type Purpose = "vmbus" | "queue";

/** Enough to tell; nothing legal is shorter. */
const enough = 8;

/**
 * The socket is paused and complete afterwards: what was read is put back. Whoever takes it over resumes it. Undefined when the
 * peer said something else, nothing within `ms`, or went away; the socket is destroyed then.
 */
export function firstWords(socket: Socket, clock: Clock, ms: number): Promise<Purpose | undefined> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const timer = clock.setTimer(ms, () => settle(undefined));
    const settle = (purpose: Purpose | undefined) => {
      timer.cancel();
      socket.off("data", take);
      socket.off("close", gone);
      socket.off("end", gone);
      socket.pause();
      if (purpose === undefined) socket.destroy();
      else socket.unshift(bytes);
      resolve(purpose);
    };
    const gone = () => settle(undefined);
    const take = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length >= enough) settle(purposeOf(bytes.readUInt32LE(4)));
    };
    socket.on("data", take);
    socket.on("close", gone);
    socket.on("end", gone);
  });
}

function purposeOf(word: number): Purpose | undefined {
  if (word === 0) return "vmbus";
  return word === queueMessage.connect.type ? "queue" : undefined;
}
