/** A control connection that serves: framing, requests, replies that nobody asked for, a peer that reads nothing. */
import { FakeClock, FakeSocket, turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { messageTypes, recordedMessages } from "../lib/sources.mjs";
import { mendSized, splitSized } from "../lib/units.mjs";

const sized = { least: 12 };
const frame = (type, flags, id, body) => {
  const head = new Uint8Array(12);
  const view = new DataView(head.buffer);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, id, true);
  return mendSized(join([head, body]), sized);
};

export const target = {
  description: "a device tree's socket",
  split: (input) => splitSized(input, sized),
  mend: (unit) => mendSized(unit, sized),
  countOf: (input) => Math.max(1, splitSized(input, sized).length),
  dictionary: { words: [0, 1, 2, 12, 1024 * 1024, ...messageTypes()], bytes: [] },
  seeds: () => {
    const sys = recordedMessages().filter(({ space, part }) => space === "sysMessage" && part === "request");
    const hello = sys.find(({ name }) => name === "hello");
    const first = frame(hello.type, 0, 1, hello.bytes);
    return [
      first,
      ...sys.map(({ type, bytes }, i) => join([first, frame(type, 0, i + 2, bytes)])),
      join([first, ...sys.map(({ type, bytes }, i) => frame(type, i % 2, i, bytes))]),
    ];
  },
  setup: async () => {
    const { isProtocolError } = await import("../../packages/protocol/dist/index.js");
    const { SysConnection } = await import("../../packages/protocol/dist/sys/connection.js");
    const notFound = Object.assign(new Error("not here"), { errno: 2 });
    const tree = {
      list: async (path) => (path.length < 8 ? ["a", "b", "c"] : []),
      stat: async (path) => {
        if (path.includes("x")) throw notFound;
        return { kind: "file", mode: 0o644 };
      },
      readlink: async () => "../a",
      read: async (path) => path,
      write: async () => undefined,
    };
    return async (input) => {
      const socket = new FakeSocket((input[0] ?? 0) & 64 ? 100 : undefined);
      const clock = new FakeClock();
      let ended = 0;
      const source = { name: "fuzz", tree, onUevent: () => () => undefined };
      const connection = new SysConnection({
        socket,
        source,
        clock,
        greeted: () => undefined,
        ended: () => (ended += 1),
      });
      try {
        socket.arrive(input);
      } catch (error) {
        if (!isProtocolError(error)) throw error;
      }
      await turns();
      const alive = ended === 0;
      connection.close("over");
      must(ended === 1, `the end was told ${ended} times`);
      clock.fireAll();
      must(clock.waiting === 0, "a timer is left over");
      must(socket.destroyed, "the socket is left open");
      // Requests are answered or refused: there is nothing that multiplies.
      must(socket.written <= 64 + 4096 * (1 + input.length / 12), "many more bytes went out than came in");
      return alive ? undefined : "ended";
    };
  },
};
