/** The command stream as the engine decodes it, on objects that stand for Dawn's: whatever is asked of them, they do. */
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { commandWords, recordedCommands } from "../lib/sources.mjs";
import { mendSized, splitSized } from "../lib/units.mjs";

const sized = { align: 8, least: 8 };
const known = commandWords();

export const target = {
  description: "WebGPU commands, decoded by the engine",
  split: (input) => splitSized(input, sized),
  mend: (unit) => mendSized(unit, sized),
  countOf: (input) => Math.max(1, splitSized(input, sized).length),
  dictionary: {
    words: [
      ...known.words,
      ...known.opcodes,
      ...known.kinds.flatMap((kind) => [10 * kind, 10 * kind + 1]),
      1000,
      1001,
      1002,
    ],
    bytes: [],
  },
  seeds: () => {
    const records = recordedCommands();
    const several = [];
    for (let at = 0; at < records.length; at += 8) several.push(join(records.slice(at, at + 8)));
    return [...records, ...several];
  },
  setup: async () => {
    const { InterfaceKind, isProtocolError, ObjectTable, Replayer, Reservation, UnavailableObjectError } =
      await import("../../packages/protocol/dist/index.js");
    let bounds = { bytes: 0 };
    const look = (args) => {
      for (const argument of args) {
        if (argument instanceof Uint8Array) {
          must(
            argument.byteOffset + argument.byteLength <= argument.buffer.byteLength,
            "data outside of its memory",
          );
          must(argument.byteLength <= bounds.bytes, "data longer than all that was sent");
        } else if (argument instanceof Reservation) argument.fulfil(new Stand());
      }
    };
    class Stand {
      label = "";
    }
    // A method comes into being when it is first asked for, and is an ordinary one from then on.
    Object.setPrototypeOf(
      Stand.prototype,
      new Proxy(
        {},
        {
          get(_, name) {
            if (typeof name === "symbol" || name === "then" || name === "constructor") return undefined;
            Stand.prototype[name] = (...args) => {
              look(args);
              return new Stand();
            };
            return Stand.prototype[name];
          },
        },
      ),
    );
    let failures = [];
    const special = new Stand();
    special.commandFailed = (failure) => void failures.push(failure);
    special.importObject = (_kind, _queue, other) => (other === 0 ? undefined : new Stand());
    special.release = () => undefined;
    const kinds = Object.values(InterfaceKind);
    return (input) => {
      const u8 = new Uint8Array((input.length + 7) & ~7);
      u8.set(input);
      bounds = { bytes: u8.length };
      const u32 = new Uint32Array(u8.buffer);
      let at = 0;
      const reader = {
        u8,
        recordBytes: 0,
        // The carrier hands out whole records only: that is another target's part.
        next() {
          if (at + 8 > u8.length) return -1;
          const size = u32[at >> 2];
          if (size < 8 || size % 8 !== 0 || size > u8.length - at) return -1;
          this.recordBytes = size;
          return at >> 2;
        },
        done() {
          at += this.recordBytes;
        },
      };
      const objects = new ObjectTable();
      for (const kind of kinds) {
        objects.put(10 * kind, kind, new Stand());
        objects.put(10 * kind + 1, kind, new Stand());
      }
      failures = [];
      let code;
      try {
        new Replayer(reader, objects, special, { maxAssembled: 1 << 20 }).replay(1000);
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        code = error.code;
      }
      for (const { error } of failures) if (!(error instanceof UnavailableObjectError)) throw error;
      must(objects.size <= 2 * kinds.length + input.length / 8, "more objects than commands");
      return code;
    };
  },
};
