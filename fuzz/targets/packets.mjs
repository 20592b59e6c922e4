/** Packets of VMBus channels with the commands and completions in them. */
import { isDeepStrictEqual } from "node:util";
import { must } from "../lib/finding.mjs";
import { messageTypes, recordedFrames } from "../lib/sources.mjs";
import { hex, whole as split } from "../lib/units.mjs";

export const target = {
  description: "packets of a channel",
  split,
  // The descriptor's length, in units of eight bytes.
  mend: (unit) => {
    const mended = new Uint8Array(Math.max(16, (unit.length + 7) & ~7));
    mended.set(unit);
    new DataView(mended.buffer).setUint16(2, 2, true);
    new DataView(mended.buffer).setUint16(4, mended.length / 8, true);
    return mended;
  },
  dictionary: { words: [6, 0xb, 16, 24, 128 * 1024, ...messageTypes()], bytes: [] },
  // Behind the frame's size and channel number.
  seeds: () =>
    recordedFrames()
      .filter(({ space }) => space !== "vmbusMessage")
      .map(({ bytes }) => hex(bytes).slice(8)),
  setup: async () => {
    const { isProtocolError } = await import("../../packages/protocol/dist/index.js");
    const { decodePacket, encodeCommand, encodeCompletion } = await import(
      "../../packages/buses/dist/vmbus/packet.js"
    );
    return (input) => {
      let packet;
      try {
        packet = decodePacket(input);
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        return error.code;
      }
      if (packet.kind === "completion") {
        const again = decodePacket(encodeCompletion(packet.transaction, packet.status, packet.body));
        must(isDeepStrictEqual(again, packet), "a completion changes when it is encoded again");
      } else {
        must(packet.command.body.length <= input.length, "a body is longer than its packet");
        const again = decodePacket(
          encodeCommand(packet.command, packet.kind === "request" ? packet.transaction || 1n : 0n),
        );
        must(isDeepStrictEqual(again.command, packet.command), "a command changes when it is encoded again");
      }
      return packet.kind;
    };
  },
};
