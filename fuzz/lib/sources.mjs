/** Recordings and the protocol's numbers, for seeds and dictionaries. */
import { readFileSync } from "node:fs";
import { hex } from "./units.mjs";

const packages = new URL("../../packages/", import.meta.url);
const json = (path) => JSON.parse(readFileSync(new URL(path, packages), "utf8"));

/** Every sample of the recorded control messages: `{space, name, part, bytes}`. */
export function recordedMessages() {
  const { messages } = json("protocol/golden/messages-2.golden.json");
  return messages.flatMap(({ space, name, type, bodies }) =>
    Object.entries(bodies).flatMap(([part, described]) =>
      described.samples.map(({ bytes }) => ({ space, name, type, part, bytes: hex(bytes) })),
    ),
  );
}

export const recordedCommands = () => json("protocol/golden/webgpu-1.golden.json").commands.map(hex);
export const recordedFrames = () => json("buses/golden/frames-1.golden.json");

/** Generated with the codecs from the WebGPU specification: opcodes, enum values, handles, limits. */
export const commandWords = () => json("protocol/src/webgpu/generated/fuzz-dictionary.json");

/** Numbers of all control messages and commands. */
export const messageTypes = () => [...new Set(recordedMessages().map(({ type }) => Number(type)))];
