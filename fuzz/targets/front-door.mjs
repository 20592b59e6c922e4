/** The first bytes on the host's port: a guest kernel, one of its queues, or neither. */
import { FakeSocket, turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { messageTypes, recordedFrames, recordedMessages } from "../lib/sources.mjs";
import { hex, whole as split } from "../lib/units.mjs";

export const target = {
  description: "the first bytes of a connection",
  split,
  dictionary: { words: [12, 4096, 4097, ...messageTypes()], bytes: [] },
  seeds: () => [
    hex(recordedFrames().find(({ name }) => name === "initiateContact").bytes),
    ...recordedMessages()
      .filter(({ space }) => space === "queueMessage")
      .map(({ type, bytes }) => {
        const head = new Uint8Array(12);
        new DataView(head.buffer).setUint32(0, 12 + bytes.length, true);
        new DataView(head.buffer).setUint16(4, Number(type), true);
        return join([head, bytes, Uint8Array.of(1, 2, 3)]);
      }),
  ],
  setup: async () => {
    const { identifyConnection } = await import("../../packages/buses/dist/index.js");
    const { createRuntime, isKernelError } = await import("../../packages/core/dist/index.js");
    const { isProtocolError } = await import("../../packages/protocol/dist/index.js");
    const runtime = createRuntime();
    return async (input) => {
      const socket = new FakeSocket();
      const step = 1 + ((input[input.length - 1] ?? 0) % 97);
      const decided = identifyConnection(runtime, socket, { deadline: Number.POSITIVE_INFINITY });
      socket.resume();
      for (let at = 0; at < input.length; at += step) socket.arrive(input.subarray(at, at + step));
      await turns(4);
      socket.hangUp();
      let feature;
      try {
        const found = await decided;
        const left = [];
        socket.on("data", (chunk) => left.push(chunk));
        socket.resume();
        const rest = left.reduce((sum, chunk) => sum + chunk.length, 0);
        // Whoever goes on with the stream finds every byte that was not taken.
        if (found.kind === "vmbus") must(rest === input.length, `${rest} of ${input.length} bytes are left`);
        else must(rest < input.length, "a queue's first message was not taken");
        feature = found.kind;
      } catch (error) {
        if (!isProtocolError(error) && !isKernelError(error)) throw error;
        feature = error.code;
        must(socket.destroyed, "a refused connection is left open");
      }
      return feature;
    };
  },
};
