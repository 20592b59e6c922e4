import { createConnection, type Socket } from "node:net";
import { isProtocolError, ProtocolError } from "../../error.js";
import { encodeFrame, FrameFlags } from "../../messages/frame.js";
import { queueMessage } from "../../messages/generated/queue.js";
import { ErrorDetail } from "../../messages/generated/structs.js";
import { QueueConnectError } from "../errors.js";
import { defaultPollPolicy, SharedMemoryPort } from "../mapped-memory/port.js";
import type { OfferedMemory } from "../mapped-memory/provider.js";
import type { Port } from "../port.js";
import { checkGeometry, isRingSize, MIN_QUEUE_RING_BYTES, sharedMemoryGeometry } from "../ring-layout.js";
import { createPlatformRuntime } from "../runtime.js";
import { openSocketIo } from "../socket-io.js";
import { createStreamPort } from "../stream/port.js";
import { readFirstMessage, written } from "./first-message.js";
import { type ConnectQueueOptions, defaultDeadlineMs, defaultStallMs } from "./queue-options.js";

const helloId = 1;

/**
 * Connects to the engine's end of a queue.
 * @throws QueueConnectError; RangeError for an impossible geometry or token
 */
export async function connectQueue(options: ConnectQueueOptions): Promise<Port> {
  if (!/^[0-9a-f]{32}$/.test(options.token)) throw new RangeError("token: expected 32 lower-case hex digits");
  const runtime = options.runtime ?? createPlatformRuntime();
  const deadline = runtime.clock.now() + (options.deadlineMs ?? defaultDeadlineMs);
  const left = (): number => Math.max(0, deadline - runtime.clock.now());
  const geometry = checkGeometry(options.geometry ?? sharedMemoryGeometry, MIN_QUEUE_RING_BYTES);
  const socket = await connect(options, runtime.clock.setTimer.bind(runtime.clock), left());
  let offered: OfferedMemory | undefined;
  try {
    offered = "path" in options.endpoint ? offer(options, geometry) : undefined;
    const hello = (memory: { readonly memory?: OfferedMemory["memory"] }): Uint8Array => {
      const { token, owner } = options;
      const body = queueMessage.hello.request.encode({ token, ...memory, geometry, ...owner });
      return encodeFrame(queueMessage.hello.type, 0, helloId, body);
    };
    // The memory travels with the hello, or not at all.
    if (
      offered !== undefined &&
      options.sharedMemory?.send(socket, hello({ memory: offered.memory }), offered) !== true
    ) {
      offered.closeDescriptor();
      offered.mapping.retire();
      offered = undefined;
    }
    const [{ frame, rest }] = await Promise.all([
      readFirstMessage(socket, runtime, left()),
      offered === undefined ? written(socket, hello({})) : undefined,
    ]);
    const reply = decodeReply(frame);
    const io = openSocketIo(socket);
    const common = { socket, io, runtime, stallMs: options.stallMs ?? defaultStallMs };
    if (reply.memory.kind !== 0) {
      if (offered === undefined)
        throw new ProtocolError("bad-reply", "the engine uses memory that was not offered");
      const { mapping } = offered;
      const rings = { transmit: mapping.toEngine, receive: mapping.toClient };
      offered.closeDescriptor();
      return new SharedMemoryPort({ ...common, ...rings, mapping, poll: options.poll ?? defaultPollPolicy });
    }
    offered?.closeDescriptor();
    offered?.mapping.retire();
    const { toEngine, toClient } = reply.geometry;
    // The engine answers within what was asked for: nobody else decides how much memory this process gives.
    if (
      !isRingSize(toEngine, MIN_QUEUE_RING_BYTES) ||
      !isRingSize(toClient, MIN_QUEUE_RING_BYTES) ||
      toEngine > geometry.toEngine ||
      toClient > geometry.toClient
    )
      throw new ProtocolError("bad-reply", `rings of ${toEngine} and ${toClient} bytes were not asked for`);
    return createStreamPort({ ...common, transmitBytes: toEngine, receiveBytes: toClient, initial: rest });
  } catch (error) {
    offered?.closeDescriptor();
    offered?.mapping.retire();
    socket.destroy();
    if (isProtocolError(error))
      throw new QueueConnectError("protocol", `the engine's answer is malformed: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
}

function offer(
  options: ConnectQueueOptions,
  geometry: typeof sharedMemoryGeometry,
): OfferedMemory | undefined {
  try {
    return options.sharedMemory?.offer(geometry);
  } catch {
    // No memory to share (a descriptor limit, a sandbox): the stream does it.
    return undefined;
  }
}

function decodeReply(frame: { type: number; flags: number; id: number; body: Uint8Array }) {
  const { type, reply } = queueMessage.hello;
  if (frame.type !== type || (frame.flags & FrameFlags.REPLY) === 0 || frame.id !== helloId)
    throw new ProtocolError(
      "bad-reply",
      `message 0x${frame.type.toString(16)} is no answer to a queue's hello`,
    );
  if (frame.body.length < 4)
    throw new ProtocolError("truncated", "the answer to a queue's hello has no status");
  const status = new DataView(frame.body.buffer, frame.body.byteOffset).getInt32(0, true);
  const body = frame.body.subarray(4);
  if (status >= 0) return reply.decode(body);
  const { text } = ErrorDetail.decode(body);
  throw new QueueConnectError(
    "refused",
    text === "" ? `the engine refused the queue (errno ${-status})` : text,
    {
      errno: -status,
    },
  );
}

function connect(
  { endpoint }: ConnectQueueOptions,
  setTimer: (ms: number, fire: () => void) => { cancel(): void },
  deadlineMs: number,
): Promise<Socket> {
  const where = "path" in endpoint ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
  return new Promise((resolve, reject) => {
    const socket = createConnection(endpoint);
    const timer = setTimer(deadlineMs, () => {
      socket.destroy();
      reject(new QueueConnectError("deadline", `${where} did not accept within ${deadlineMs} ms`));
    });
    // This listener stays: the socket of a failed handshake may still report something that nobody waits for.
    socket.on("error", (cause) => {
      timer.cancel();
      reject(
        new QueueConnectError("unreachable", `no engine answers at ${where}: ${cause.message}`, { cause }),
      );
    });
    socket.once("connect", () => {
      timer.cancel();
      resolve(socket);
    });
  });
}
