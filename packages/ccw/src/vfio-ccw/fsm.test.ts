import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, type FsmEvent, type FsmState } from "./fsm.js";

const events: readonly FsmEvent[] = ["not-oper", "io-request", "async-request", "interrupt", "open", "close"];

test("every state answers every event as the kernel's table does", () => {
  const rows: readonly (readonly [FsmState, string])[] = [
    ["not-oper", "nothing|refuse with EIO|refuse with EIO|disable|nothing|nothing"],
    ["standby", "give up|refuse with EIO|refuse with EIO|disable|open|give up"],
    ["idle", "give up|start|halt or clear|collect|give up|close"],
    ["cp-processing", "give up|refuse with EAGAIN|refuse with EAGAIN|collect|give up|close"],
    ["cp-pending", "give up|refuse with EBUSY|halt or clear|collect|give up|close"],
  ];
  for (const [state, answers] of rows) {
    assert.equal(events.map((event) => actionOf(state, event)).join("|"), answers, state);
  }
});
