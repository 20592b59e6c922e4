/** The process that Dawn is fuzzed in. Each message is a batch of inputs; the answer says how many it took. */

import { createInProcessEngine } from "parhelion-engine";
import { create } from "webgpu";
import { splitSized } from "../lib/units.mjs";

// Held for the life of the process, because Dawn crashes when it is collected.
const gpu = create(["backend=null"]);
const own = [];
const log = (line) => {
  // A queue that is closed for breaking the protocol is what is expected; an error with a stack is the engine's own.
  if (/\n\s+at /.test(line)) own.push(line);
};
const engine = createInProcessEngine({ gpu, log });
const request = { label: "", requiredFeatures: [], requiredLimits: {}, defaultQueueLabel: "" };
/** Inputs on one device, so that they meet what the ones before have left. */
const inputsPerDevice = 64;
let device;
let used = 0;

async function opened() {
  if (device !== undefined && device.port.state === "open" && used < inputsPerDevice) return device;
  device?.release();
  used = 0;
  device = await engine.open(request);
  const { port } = device;
  port.onReadable(() => {
    for (let word = port.rx.next(); word >= 0; word = port.rx.next()) port.rx.done();
  });
  return device;
}

async function execute(input) {
  const { port } = await opened();
  used += 1;
  let messages = 0;
  for (const unit of splitSized(input, { align: 8, least: 8 })) {
    if (unit.length % 8 !== 0 || unit.length > port.tx.maxRecord || port.state !== "open") break;
    const word = port.tx.tryBegin(unit.length);
    if (word < 0) break;
    port.tx.u8.set(unit, word * 4);
    messages += 1;
  }
  port.tx.flush();
  return messages;
}

process.on("message", async ({ inputs }) => {
  let messages = 0;
  for (const [i, input] of inputs.entries()) {
    messages += await execute(Buffer.from(input, "base64"));
    if (i % 8 === 7) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setImmediate(resolve));
  if (global.gc !== undefined && Math.random() < 0.02) global.gc();
  process.send({ messages, own: own.splice(0), rss: process.memoryUsage().rss });
});
process.on("disconnect", () => process.exit(0));
