import assert from "node:assert/strict";
import { test } from "node:test";
import { isProtocolError } from "../error.js";
import { addressed, isAddressedTo } from "./address.js";
import { parseToEngine } from "./parse.js";

const address = { slice: "00000000-0000-0000-0000-00000000000a", generation: 7 };

test("a message between host and engine names whose engine it is, and nobody else takes it", () => {
  const message = addressed({ op: "destroyQueue", queue: 3 } as const, address);
  assert.ok(isAddressedTo(message, address));
  assert.deepEqual(parseToEngine(message), { op: "destroyQueue", queue: 3 });
  assert.ok(!isAddressedTo(message, { ...address, generation: 8 }));
  assert.ok(!isAddressedTo(message, { ...address, generation: 6 }));
  assert.ok(!isAddressedTo(message, { ...address, slice: "00000000-0000-0000-0000-00000000000b" }));
  assert.ok(!isAddressedTo({ ...message, generation: "7" }, address));
  assert.ok(isAddressedTo({ op: "stop" }, address), "what names nobody is for whoever gets it");
  assert.throws(
    () => isAddressedTo(null, address),
    (error) => isProtocolError(error),
  );
});
