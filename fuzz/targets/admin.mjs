/** The administrator's socket: lines of JSON. */
import { FakeSocket } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { splitLines, text } from "../lib/units.mjs";

const requests = [
  { id: 1, method: "status" },
  { id: "a", method: "guestCreate", params: { name: "x", slices: 1 } },
  { id: null, method: "guestRemove", params: { id: "01234567" } },
  { id: 2, method: "sliceCreate", params: { type: "half", adapter: "adapter0" } },
];
const tokens = [
  "null",
  "-1",
  "1e999",
  "[]",
  "{}",
  '""',
  '"__proto__"',
  '"constructor"',
  '"method":',
  '"params":',
  "\n",
  "\r\n",
  "\u2028",
  "\ufeff",
  "{",
  "}",
];

export const target = {
  description: "lines on the administrator's socket",
  split: splitLines,
  countOf: (input) => Math.max(1, splitLines(input).length),
  dictionary: {
    words: [10, 34, 92, 123],
    bytes: [...tokens.map(text), Uint8Array.of(0xff, 0xfe), Uint8Array.of(0xf0, 0x9f)],
  },
  seeds: () => requests.map((request) => text(`${JSON.stringify(request)}\n`)),
  setup: async () => {
    const { onLines } = await import("../../packages/host/dist/admin/json-lines.js");
    const { parseRequest } = await import("../../packages/host/dist/admin/admin-server.js");
    const { HostError } = await import("../../packages/host/dist/host-error.js");
    return (input) => {
      const read = (step) => {
        const socket = new FakeSocket().resume();
        const lines = [];
        onLines(
          socket,
          (line) => lines.push(line),
          () => lines.push("too long"),
        );
        for (let at = 0; at < input.length; at += step)
          socket.arrive(Buffer.from(input.subarray(at, at + step)));
        return lines;
      };
      const lines = read(input.length + 1);
      const pieces = read(1 + ((input[input.length - 1] ?? 0) % 29));
      must(
        lines.length === pieces.length && lines.every((line, i) => line === pieces[i]),
        "lines depend on how the bytes were cut",
      );
      let feature;
      for (const line of lines) {
        try {
          const { method, params } = parseRequest(line);
          must(
            typeof method === "string" && typeof params === "object" && params !== null,
            "a request without its parts",
          );
          feature = "request";
        } catch (error) {
          if (!(error instanceof HostError)) throw error;
          feature = error.message;
        }
      }
      return feature;
    };
  },
};
