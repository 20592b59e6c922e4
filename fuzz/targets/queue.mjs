/** A connection to an engine's socket: the hello, its answer, and what the application sends behind it. */
import { FakeClock, FakeSocket, turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { recordedMessages } from "../lib/sources.mjs";
import { splitSized } from "../lib/units.mjs";

const sized = { least: 12 };

export const target = {
  description: "an application's connection to its queue",
  split: (input) => {
    // The hello, then the carrier's frames as one.
    const [hello = input] = splitSized(input, sized);
    const rest = input.subarray(hello.length);
    return rest.length === 0 ? [hello] : [hello, rest];
  },
  dictionary: { words: [1, 2, 3, 8, 12, 65536, 1 << 23, 1 << 25, 1 << 30, 8192], bytes: [] },
  seeds: () => {
    const { queueMessage, encodeFrame } = protocol;
    const hello = (value) =>
      encodeFrame(queueMessage.hello.type, 0, 1, queueMessage.hello.request.encode(value));
    const token = "0".repeat(31);
    const record = new Uint8Array(new Uint32Array([1, 16, 16, 5, 0, 0]).buffer);
    const geometry = { toEngine: 65536, toClient: 65536 };
    return [
      hello({ token: `${token}1` }),
      join([hello({ token: `${token}1`, geometry }), record, record]),
      join([hello({ token: `${token}1`, geometry: { toEngine: 1 << 25, toClient: 1 << 24 } }), record]),
      hello({ token: `${token}2` }),
      hello({ token: `${token}3` }),
      hello({
        token: `${token}1`,
        memory: { kind: 1, process: 1, descriptor: 3, bytes: 1n << 20n, header: 4096 },
        geometry,
      }),
      ...recordedMessages()
        .filter(({ space, part }) => space === "queueMessage" && part === "request")
        .map(({ type, bytes }) => encodeFrame(Number(type), 0, 1, bytes)),
    ];
  },
  setup: async () => {
    const { acceptQueue, isProtocolError, isQueueConnectError } = protocol;
    const authorize = (token) => {
      if (token.endsWith("1")) return { outcome: "granted", limit: { toEngine: 65536, toClient: 65536 } };
      if (token.endsWith("2")) throw new Error("cannot decide");
      return { outcome: "refused", errno: 13, message: "no" };
    };
    return async (input) => {
      const socket = new FakeSocket();
      const clock = new FakeClock();
      const deferred = [];
      const runtime = { clock, defer: (callback) => void deferred.push(callback), nap: () => undefined };
      const accepted = acceptQueue(socket, { authorize, runtime });
      const half = (input[input.length - 1] ?? 0) % (input.length + 1);
      socket.arrive(input.subarray(0, half));
      socket.arrive(input.subarray(half));
      await turns();
      socket.hangUp();
      let port;
      let feature;
      try {
        port = await accepted;
      } catch (error) {
        if (!isQueueConnectError(error)) throw error;
        feature = error.code;
      }
      if (port !== undefined) {
        must(port.rx.capacity <= 65536 && port.tx.capacity <= 65536, "rings larger than granted");
        let records = 0;
        let closed = 0;
        port.onClose(() => (closed += 1));
        port.onReadable(() => {
          for (let word = port.rx.next(); word >= 0; word = port.rx.next()) {
            must(word * 4 + port.rx.recordBytes <= port.rx.capacity, "a record beyond the ring's end");
            records += 1;
            port.rx.done();
          }
        });
        for (let round = 0; round < 64 && deferred.length > 0; round++) {
          try {
            for (const callback of deferred.splice(0)) callback();
          } catch (error) {
            if (!isProtocolError(error)) throw error;
          }
        }
        port.close();
        for (let round = 0; round < 64 && deferred.length > 0; round++)
          for (const callback of deferred.splice(0)) callback();
        must(closed === 1, `its end was told ${closed} times`);
        must(records <= input.length / 8, "more records than were sent");
        feature = `port ${port.carrier}`;
      }
      clock.fireAll();
      must(socket.destroyed, "the socket is left open");
      return feature;
    };
  },
};

const protocol = await import("../../packages/protocol/dist/index.js");
