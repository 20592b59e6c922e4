import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isKernelError } from "./error.js";
import { traced } from "./model.test.fixture.js";
import { serializeUevent, type Uevent } from "./uevent.js";
import { parseUevent } from "./uevent-parse.js";

test("what a system sends is read back as it was", async () => {
  const { system, device, driver } = traced();
  const events: Uevent[] = [];
  system.onUevent((event) => events.push(event));
  await system.registerDriver(driver("d"));
  const dev = device("d0", { devtype: "a=b@c" });
  await system.addDevice(dev);
  await system.removeDevice(dev);
  assert.equal(events.length, 5);
  for (const event of events) assert.deepEqual(parseUevent(serializeUevent(event)), event);
});

test("any text is an event or EINVAL, and an event survives the way there and back", () => {
  const good = "add@/devices/d\0ACTION=add\0DEVPATH=/devices/d\0SUBSYSTEM=toy\0X==\0SEQNUM=7\0";
  assert.deepEqual(parseUevent(good).keys[3], ["X", "="]);
  const cut = fc.record({ at: fc.nat(good.length), length: fc.nat(20), by: fc.string({ maxLength: 5 }) });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(cut, { maxLength: 3 })), (input) => {
      const text =
        typeof input === "string"
          ? input
          : input.reduce(
              (text, { at, length, by }) => text.slice(0, at) + by + text.slice(at + length),
              good,
            );
      let event: Uevent;
      try {
        event = parseUevent(text);
      } catch (error) {
        assert.ok(isKernelError(error, "EINVAL"));
        return;
      }
      assert.equal(serializeUevent(event), text);
    }),
    { numRuns: 2000 },
  );
});

test("what is wrong is said", () => {
  const table: readonly (readonly [string, RegExp])[] = [
    ["", /NUL/],
    ["add@/d\0ACTION=add\0DEVPATH=/d\0SUBSYSTEM=s\0", /no SEQNUM/],
    ["add@/d\0ACTION=add\0DEVPATH=/e\0SUBSYSTEM=s\0SEQNUM=1\0", /differ/],
    ["fly@/d\0ACTION=fly\0DEVPATH=/d\0SUBSYSTEM=s\0SEQNUM=1\0", /"fly" is not an action/],
    ["add@/d\0ACTION=add\0DEVPATH=/d\0SUBSYSTEM=s\0SEQNUM=0x1\0", /SEQNUM/],
    ["add@/d\0ACTION=add\0=/d\0", /KEY=value/],
  ];
  for (const [text, message] of table) {
    assert.throws(() => parseUevent(text), { code: "EINVAL", message });
  }
});
