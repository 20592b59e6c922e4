import assert from "node:assert/strict";
import { test } from "node:test";
import { lostView, ueventKeys, ueventView } from "./uevent.js";

const keys = ["ACTION=add", "DEVPATH=/devices/toy0", "SUBSYSTEM=toys", "MODALIAS=toy:a=b", "SEQNUM=12"];

test("an event is a line, and with its properties a paragraph in the kernel's order", () => {
  assert.equal(ueventView(keys, false), "   12 add     /devices/toy0 (toys)");
  assert.equal(ueventView(keys, true), ["   12 add     /devices/toy0 (toys)", ...keys, ""].join("\n"));
});

test("a value may hold an equals sign", () => {
  assert.equal(ueventKeys(keys)["MODALIAS"], "toy:a=b");
});

test("an event can't begin lines of its own", () => {
  const forged = ["ACTION=add", "DEVPATH=/devices/a\n   13 remove  /devices/b (toys)", "SUBSYSTEM=toys"];
  assert.equal(ueventView(forged, false).split("\n").length, 1);
});

test("what is missing is counted", () => {
  assert.equal(lostView(1), "lost 1 event: they came faster than they were read");
  assert.match(lostView(2), /^lost 2 events/);
});
