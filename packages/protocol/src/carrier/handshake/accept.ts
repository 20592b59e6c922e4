import type { Socket } from "node:net";
import { isProtocolError, ProtocolError } from "../../error.js";
import { StatusErrno } from "../../messages/errno.js";
import { encodeFrame, FrameFlags } from "../../messages/frame.js";
import { type QueueHelloRequest, queueMessage } from "../../messages/generated/queue.js";
import { ErrorDetail } from "../../messages/generated/structs.js";
import { QueueConnectError } from "../errors.js";
import { defaultPollPolicy, SharedMemoryPort } from "../mapped-memory/port.js";
import type { QueueMapping } from "../mapped-memory/provider.js";
import type { Port } from "../port.js";
import {
  isRingSize,
  MAX_RING_BYTES,
  MIN_QUEUE_RING_BYTES,
  type QueueGeometry,
  sharedMemoryGeometry,
  streamGeometry,
} from "../ring-layout.js";
import { createPlatformRuntime } from "../runtime.js";
import { openSocketIo } from "../socket-io.js";
import { createStreamPort } from "../stream/port.js";
import { takeFirstBytes } from "./first-bytes.js";
import { readFirstMessage, written } from "./first-message.js";
import {
  type AcceptQueueOptions,
  defaultDeadlineMs,
  defaultStallMs,
  type QueueGrant,
} from "./queue-options.js";

const maxRefusalText = 1000;

/**
 * The engine's end of a queue, on a connection that was just accepted. Takes the socket over; whatever goes wrong, it is closed.
 * Memory can be shared only over a socket whose server has `pauseOnConnect`.
 * @throws QueueConnectError; the client was told the reason where it could be
 */
export async function acceptQueue(socket: Socket, options: AcceptQueueOptions): Promise<Port> {
  const runtime = options.runtime ?? createPlatformRuntime();
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  const late = runtime.clock.setTimer(deadlineMs, () => socket.destroy());
  // Stays: the socket may report an error that nobody waits for.
  socket.on("error", () => {});
  let mapping: QueueMapping | undefined;
  const first = await takeFirstBytes(socket, runtime, deadlineMs, options.sharedMemory);
  try {
    const { frame, rest } = await readFirstMessage(socket, runtime, deadlineMs, first.bytes);
    const answer = (status: number, body: Uint8Array): Promise<void> => {
      const whole = new Uint8Array(4 + body.length);
      new DataView(whole.buffer).setInt32(0, status, true);
      whole.set(body, 4);
      return written(socket, encodeFrame(frame.type, FrameFlags.REPLY, frame.id, whole));
    };
    const refuse = async (code: "refused" | "protocol", errno: number, message: string, cause?: unknown) => {
      await answer(-errno, ErrorDetail.encode({ text: message.slice(0, maxRefusalText) }));
      return new QueueConnectError(code, message, { errno, ...(cause === undefined ? {} : { cause }) });
    };
    let hello: QueueHelloRequest;
    try {
      if (frame.type !== queueMessage.hello.type)
        throw new ProtocolError("bad-hello", `message 0x${frame.type.toString(16)} is no queue's hello`);
      hello = queueMessage.hello.request.decode(frame.body);
      checkWanted(hello.geometry);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      throw await refuse("protocol", StatusErrno.EINVAL, error.message, error);
    }
    let grant: QueueGrant;
    try {
      const decision = await options.authorize(hello.token, hello);
      if (decision.outcome === "refused") throw await refuse("refused", decision.errno, decision.message);
      grant = decision;
    } catch (error) {
      if (error instanceof QueueConnectError) throw error;
      throw await refuse("refused", StatusErrno.EIO, "the engine could not decide about this queue", error);
    }
    mapping = map(first.descriptor, options, hello, grant);
    const geometry =
      mapping === undefined
        ? within(hello.geometry, grant.limit ?? streamGeometry, streamGeometry)
        : hello.geometry;
    await answer(
      0,
      queueMessage.hello.reply.encode({
        geometry,
        ...(mapping === undefined ? {} : { memory: hello.memory }),
      }),
    );
    if (socket.destroyed)
      throw new QueueConnectError(
        "hung-up",
        `the connection ended during the handshake, or it took more than ${deadlineMs} ms`,
      );
    const common = { socket, io: openSocketIo(socket), runtime, stallMs: options.stallMs ?? defaultStallMs };
    if (mapping === undefined)
      return createStreamPort({
        ...common,
        transmitBytes: geometry.toClient,
        receiveBytes: geometry.toEngine,
        initial: rest,
      });
    return new SharedMemoryPort({
      ...common,
      mapping,
      transmit: mapping.toClient,
      receive: mapping.toEngine,
      poll: options.poll ?? defaultPollPolicy,
    });
  } catch (error) {
    mapping?.retire();
    socket.destroySoon();
    throw error;
  } finally {
    if (first.descriptor >= 0) options.sharedMemory?.close(first.descriptor);
    late.cancel();
  }
}

/** The offered memory, mapped; undefined when none came, it is larger than granted, or not what it should be. */
function map(
  descriptor: number,
  options: AcceptQueueOptions,
  hello: QueueHelloRequest,
  grant: QueueGrant,
): QueueMapping | undefined {
  const limit = grant.limit ?? sharedMemoryGeometry;
  const { toEngine, toClient } = hello.geometry;
  if (descriptor < 0 || hello.memory.kind === 0 || toEngine > limit.toEngine || toClient > limit.toClient)
    return undefined;
  try {
    return options.sharedMemory?.open(descriptor, hello.memory, hello.geometry);
  } catch {
    return undefined;
  }
}

/** 0 leaves the size to the engine. */
function checkWanted(geometry: QueueGeometry): void {
  for (const bytes of [geometry.toEngine, geometry.toClient])
    if (bytes !== 0 && !isRingSize(bytes, MIN_QUEUE_RING_BYTES))
      throw new ProtocolError(
        "bad-geometry",
        `a ring of ${bytes} bytes: a power of two from ${MIN_QUEUE_RING_BYTES} to ${MAX_RING_BYTES}, or 0, is expected`,
      );
}

function within(wanted: QueueGeometry, limit: QueueGeometry, fallback: QueueGeometry): QueueGeometry {
  const size = (field: "toEngine" | "toClient"): number =>
    Math.min(wanted[field] === 0 ? fallback[field] : wanted[field], limit[field], fallback[field]);
  return { toEngine: size("toEngine"), toClient: size("toClient") };
}
