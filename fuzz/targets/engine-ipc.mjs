/** What the host and an engine say to each other, in both directions. */
import { must } from "../lib/finding.mjs";
import { splitLines, text } from "../lib/units.mjs";

const samples = [
  {
    op: "start",
    queuePath: "/q",
    dawn: ["backend=null"],
    forceFallback: false,
    slice: "s",
    generation: 1,
    time: "free",
    quota: { memoryBytes: 1, reservedBytes: 0, limitBytes: 1, objects: 1, bytesInFlight: 1, submissionMs: 1 },
  },
  {
    op: "createDevice",
    id: 1,
    device: 2,
    owner: 3,
    request: {
      label: "",
      requiredFeatures: ["shader-f16"],
      requiredLimits: { maxBindGroups: 4 },
      defaultQueueLabel: "q",
    },
  },
  { op: "destroyDevice", device: 2 },
  { op: "createQueue", id: 3, device: 2, queue: 4, token: "0123456789abcdef0123456789abcdef" },
  { op: "destroyQueue", queue: 4 },
  { op: "waitFence", id: 5, queue: 4, value: 0 },
  { op: "submit", id: 8, queue: 4 },
  { op: "statistics", id: 6 },
  { op: "stop" },
  {
    op: "ready",
    adapter: {
      info: {
        vendor: "v",
        architecture: "",
        device: "",
        description: "",
        subgroupMinSize: 4,
        subgroupMaxSize: 128,
        isFallbackAdapter: true,
      },
      features: [],
      limits: { maxBufferSize: 1 },
      wgslLanguageFeatures: [],
    },
  },
  { op: "failed", message: "no" },
  { op: "created", id: 1, grant: { features: [], limits: {} } },
  { op: "refused", id: 1, refusal: { name: "OperationError", message: "no", code: "device-gone" } },
  { op: "fence", id: 5, value: 7 },
  {
    op: "statistics",
    id: 6,
    statistics: { devices: 1, queues: 1, objects: 2, submits: 3, bytesReceived: 4, residentBytes: 5 },
  },
  { op: "deviceLost", device: 2, reason: "unknown", message: "gone" },
];
const tokens = [
  "null",
  "-1",
  "1e999",
  "0.5",
  "9007199254740993",
  "[]",
  "{}",
  '""',
  '"__proto__":',
  '"constructor":',
  "true",
  '"\\u0000"',
  ",",
  "}",
  "{",
  '"op":',
  '"id":',
  '"toString"',
];

export const target = {
  description: "messages between host and engine",
  split: splitLines,
  countOf: (input) => Math.max(1, splitLines(input).length),
  dictionary: { words: [], bytes: tokens.map(text) },
  seeds: () => samples.map((sample) => text(`${JSON.stringify(sample)}\n`)),
  setup: async () => {
    const { isProtocolError, parseFromEngine, parseToEngine } = await import(
      "../../packages/protocol/dist/index.js"
    );
    const decoder = new TextDecoder();
    return (input) => {
      let feature;
      for (const line of splitLines(input)) {
        let value;
        try {
          value = JSON.parse(decoder.decode(line));
        } catch {
          continue;
        }
        for (const parse of [parseToEngine, parseFromEngine]) {
          try {
            const message = parse(value);
            // Rebuilt from known members alone, and stable.
            must(
              JSON.stringify(parse(message)) === JSON.stringify(message),
              "a message changes when it is read again",
            );
            must(
              Object.getPrototypeOf(message) === Object.prototype,
              "a message with a prototype of its own",
            );
          } catch (error) {
            if (!isProtocolError(error, "bad-engine-message")) throw error;
            feature = error.message.replaceAll(/\d+|"[^"]*"/g, "#").slice(0, 60);
          }
        }
      }
      return feature;
    };
  },
};
