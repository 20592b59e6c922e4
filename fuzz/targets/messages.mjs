/** The bodies of all control messages and commands: nodes, VMBus, dxg, PCI, device trees, queues. */
import { isDeepStrictEqual } from "node:util";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { messageTypes, recordedMessages } from "../lib/sources.mjs";
import { whole as split } from "../lib/units.mjs";

async function codecs() {
  const protocol = await import("../../packages/protocol/dist/index.js");
  const found = new Map();
  for (const [space, group] of Object.entries(protocol)) {
    if (typeof group !== "object" || group === null) continue;
    for (const [name, message] of Object.entries(group)) {
      for (const part of ["request", "reply", "body"]) {
        if (typeof message?.[part]?.decode === "function")
          found.set(`${space}.${name}.${part}`, message[part]);
      }
    }
  }
  return { protocol, found };
}

/** The first two bytes say whose body the rest is. */
const naming = (bytes, index) => join([Uint8Array.of(index & 255, index >> 8), bytes]);

const { found, protocol } = await codecs();
const names = [...found.keys()].sort();

export const target = {
  description: "bodies of control messages",
  split,
  dictionary: { words: messageTypes(), bytes: [] },
  seeds: () => [
    ...names.map((name, index) => naming(found.get(name).encode({}), index)),
    ...recordedMessages().flatMap(({ space, name, part, bytes }) => {
      const index = names.indexOf(`${space}.${name}.${part}`);
      return index < 0 ? [] : [naming(bytes, index)];
    }),
  ],
  setup: async () => {
    const { isProtocolError } = protocol;
    return (input) => {
      const index = ((input[0] ?? 0) | ((input[1] ?? 0) << 8)) % names.length;
      const codec = found.get(names[index]);
      let value;
      try {
        value = codec.decode(input.subarray(2));
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        return `${error.code}`;
      }
      // What was understood can be said again, and means the same then.
      const again = codec.decode(codec.encode(value));
      must(isDeepStrictEqual(again, value), () => `${names[index]} changes when it is encoded again`);
      return undefined;
    };
  },
};
