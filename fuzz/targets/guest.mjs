/**
 * All that a guest can send to the host's daemon: frames on its VMBus connection, from the contact on, to a host with guests, slices
 * and engines, as the daemon puts them together; only sockets and engine processes are left out. The host's own errors are findings,
 * and so is whatever a guest leaves behind that has gone.
 */

import { turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { messageTypes, recordedFrames } from "../lib/sources.mjs";
import { hex, mendSized, splitSized } from "../lib/units.mjs";

const sized = { least: 8 };
const recorded = recordedFrames();
const bytesOf = (name, part) => hex(recorded.find((each) => each.name === name && each.part === part).bytes);

function onChannel(frame, relid) {
  const copy = frame.slice();
  new DataView(copy.buffer).setUint32(4, relid, true);
  return copy;
}

export const target = {
  description: "a guest kernel's connection to the host",
  split: (input) => splitSized(input, sized),
  mend: (unit) => {
    const view = new DataView(unit.buffer, unit.byteOffset, unit.byteLength);
    if (unit.length < 24 || view.getUint32(4, true) === 0) return mendSized(unit, sized);
    const mended = new Uint8Array(8 + ((unit.length - 8 + 7) & ~7));
    mended.set(unit);
    new DataView(mended.buffer).setUint16(10, 2, true);
    new DataView(mended.buffer).setUint16(12, (mended.length - 8) / 8, true);
    return mendSized(mended, sized);
  },
  countOf: (input) => Math.max(1, splitSized(input, sized).length),
  // Handles are `unique << 30 | index << 6 | instance`: the first ones of a table.
  dictionary: {
    words: [1, 2, 3, 4, 0x41, 0x40000041, 0x40000001, 0x40000000, 0x80000000, 0x40000081, ...messageTypes()],
    bytes: [],
  },
  seeds: () => {
    const openAll = [1, 2, 3].map((relid) => {
      const frame = bytesOf("openChannel", "message").slice();
      new DataView(frame.buffer).setUint32(16, relid, true);
      return frame;
    });
    const commands = recorded.filter(({ space, part }) => part === "request" && space !== "vmbusMessage");
    const process = onChannel(bytesOf("createProcess", "request"), 1);
    return [
      join([bytesOf("requestOffers", "message")]),
      join(openAll),
      ...recorded.filter(({ space }) => space === "vmbusMessage").map(({ bytes }) => hex(bytes)),
      ...commands.map(({ bytes }) =>
        join([
          ...openAll,
          process,
          onChannel(hex(bytes), 1),
          onChannel(hex(bytes), 2),
          onChannel(hex(bytes), 3),
        ]),
      ),
      join([...openAll, process, ...commands.map(({ bytes }) => onChannel(hex(bytes), 2))]),
    ];
  },
  setup: async () => {
    const { createRuntime } = await import("../../packages/core/dist/index.js");
    const { House } = await import("../../packages/host/dist/guests/house.test.fixture.js");
    const { VmbusMessage, vmbusMessage } = await import("../../packages/protocol/dist/index.js");
    const faults = [];
    const log = ({ level, event, fields }) => {
      if (level === "error")
        faults.push(
          `${event} ${JSON.stringify(fields, (_, each) => (each instanceof Error ? each.stack : each))}`,
        );
    };
    const runtime = createRuntime({ log });
    const house = new House(runtime);
    await house.build();
    const guest = await house.guests.create({ name: "fuzzed", slices: [{}, {}] });
    const message = (type, body) => {
      const payload = new Uint8Array(8 + body.length);
      new DataView(payload.buffer).setUint32(0, type, true);
      payload.set(body, 8);
      return payload;
    };
    const contact = message(
      VmbusMessage.INITIATECONTACT,
      vmbusMessage.initiateContact.body.encode({ credential: guest.credential }),
    );
    const offers = message(VmbusMessage.REQUESTOFFERS, new Uint8Array(0));
    return async (input) => {
      faults.length = 0;
      let receiver;
      let over = false;
      let sent = 0;
      const carrier = {
        receive: (given) => (receiver = given),
        send: (_relid, payload) => (sent += payload.length),
        close: () => (over = true),
        cut: () => (over = true),
      };
      const met = house.door.meet(carrier, { reach: "local", from: undefined, known: () => undefined });
      receiver.frame(0, contact);
      await turns(24);
      receiver.frame(0, offers);
      const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
      let frames = 0;
      for (const unit of splitSized(input, sized)) {
        if (over || unit.length < 8) break;
        frames += 1;
        receiver.frame(view.getUint32(unit.byteOffset - input.byteOffset + 4, true), unit.slice(8));
        if (frames % 4 === 0) await turns(16);
      }
      await turns(48);
      if (!over) receiver.ended(new Error("the input is over"));
      await met;
      await turns(48);
      if (faults.length > 0) throw new Error(faults[0]);
      const [left] = [...house.guests.values()];
      must(left.connection === undefined, "the guest still counts as connected");
      for (const slice of left.slices) {
        must(slice.devices.size === 0, "a device outlives its guest's connection");
        must(slice.allocatedBytes === 0, "memory stays charged");
      }
      for (const engine of house.engines.living) must(engine.devices.size === 0, "an engine keeps a device");
      must(sent <= 65536 + 4096 * frames, "many more bytes went out than came in");
      return over ? "over" : undefined;
    };
  },
};
