/**
 * One port of a host takes two kinds of connections from guest kernels. The first eight bytes tell them apart: VMBus begins with
 * a frame for relid 0, a queue with the control message QUEUE_CONNECT, whose type stands at the same place.
 */
import type { Duplex } from "node:stream";
import { Completion, KernelError, type Runtime, type WaitOptions } from "parhelion-core";
import {
  CONTROL_HEADER,
  decodeFrame,
  ProtocolError,
  type QueueConnect,
  queueMessage,
} from "parhelion-protocol";

export type GuestConnection =
  | { readonly kind: "vmbus" }
  | { readonly kind: "queue"; readonly connect: QueueConnect };

const maxFirstMessage = 4096;

/**
 * Reads as far as the decision needs and hands the stream back paused. After "vmbus" nothing has been consumed, after "queue"
 * exactly the first message.
 * @throws ProtocolError it is neither, KernelError ETIMEDOUT, ECONNRESET; the stream is destroyed then
 */
export async function identifyConnection(
  runtime: Runtime,
  stream: Duplex,
  options?: WaitOptions,
): Promise<GuestConnection> {
  const decided = new Completion<GuestConnection>(runtime, "first bytes of a connection");
  const chunks: Uint8Array[] = [];
  const onData = (chunk: Uint8Array): void => {
    chunks.push(chunk);
    try {
      const seen = Buffer.concat(chunks);
      const decision = decide(seen);
      if (decision === null) return;
      stream.pause();
      stream.off("data", onData);
      stream.unshift(seen.subarray(decision.consumed));
      decided.completeAll(decision.connection);
    } catch (error) {
      decided.fail(error);
    }
  };
  const onEnd = (error?: Error): void => {
    decided.fail(
      new KernelError("ECONNRESET", "a connection ended before it said what it is", { cause: error }),
    );
  };
  stream.on("data", onData);
  stream.on("end", onEnd);
  stream.on("error", onEnd);
  try {
    return await decided.wait(options);
  } catch (error) {
    stream.on("error", () => {});
    stream.destroy();
    throw error;
  } finally {
    stream.off("data", onData);
    stream.off("end", onEnd);
    stream.off("error", onEnd);
  }
}

function decide(seen: Buffer): { connection: GuestConnection; consumed: number } | null {
  if (seen.length < 8) return null;
  if (seen.readUInt32LE(4) === 0) return { connection: { kind: "vmbus" }, consumed: 0 };
  const { connect } = queueMessage;
  if (seen.readUInt16LE(4) !== connect.type) {
    throw new ProtocolError("bad-header", "neither a VMBus contact nor a queue; is this the right port?");
  }
  const size = seen.readUInt32LE(0);
  if (size < CONTROL_HEADER || size > maxFirstMessage) {
    throw new ProtocolError(
      "bad-size",
      `a first message of ${size} bytes; legal are ${CONTROL_HEADER} to ${maxFirstMessage}`,
    );
  }
  if (seen.length < size) return null;
  const body = decodeFrame(seen.subarray(0, size)).body;
  return { connection: { kind: "queue", connect: connect.body.decode(body) }, consumed: size };
}
