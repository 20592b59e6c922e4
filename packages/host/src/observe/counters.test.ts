import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { Counters } from "./counters.js";

test("a slice's totals go on over its engines' ends, and never back", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("works" as const), submits: fc.nat(100), bytes: fc.nat(1000) }),
    fc.record({ do: fc.constantFrom("ends" as const, "asked" as const, "silent" as const) }),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const counters = new Counters(createRuntime());
      let start = 1;
      let engine = { submits: 0, bytesReceived: 0 };
      let told = { submits: 0, bytesReceived: 0 };
      let expected = { submits: 0, receivedBytes: 0 };
      for (const each of steps) {
        if (each.do === "works")
          engine = {
            submits: engine.submits + each.submits,
            bytesReceived: engine.bytesReceived + each.bytes,
          };
        else if (each.do === "ends") {
          start += 1;
          engine = { submits: 0, bytesReceived: 0 };
          told = engine;
        } else {
          const totals = counters.total("a", String(start), each.do === "asked" ? engine : null);
          if (each.do === "asked") {
            expected = {
              submits: expected.submits + engine.submits - told.submits,
              receivedBytes: expected.receivedBytes + engine.bytesReceived - told.bytesReceived,
            };
            told = engine;
          }
          assert.deepEqual({ submits: totals.submits, receivedBytes: totals.receivedBytes }, expected);
        }
      }
    }),
  );
});

test("an older answer that comes late takes nothing back", () => {
  const counters = new Counters(createRuntime());
  counters.total("a", "1", { submits: 5, bytesReceived: 50 });
  assert.equal(counters.total("a", "1", { submits: 4, bytesReceived: 60 }).submits, 5);
});

test("events are counted by name, by slice where they have one, and refusals by rule", () => {
  const counters = new Counters(createRuntime());
  counters.take("device.lost", { slice: "a" });
  counters.take("device.lost", { slice: "a" });
  counters.take("engine.failed", { slice: "a" });
  counters.take("limit.reached", { rule: "guests" });
  counters.take("limit.reached", {});
  assert.deepEqual(counters.total("a", "", null), {
    submits: 0,
    receivedBytes: 0,
    lostDevices: 2,
    engineFailures: 1,
  });
  assert.deepEqual(
    [...counters.events],
    [
      ["device.lost", 2],
      ["engine.failed", 1],
      ["limit.reached", 2],
    ],
  );
  assert.deepEqual(
    [...counters.refusals],
    [
      ["guests", 1],
      ["unknown", 1],
    ],
  );
});

test("a slice that is gone is forgotten", () => {
  const counters = new Counters(createRuntime());
  for (const slice of ["a", "b", "c"]) counters.take("device.lost", { slice });
  counters.take("slice.removed", { slice: "a" });
  counters.keep(new Set(["b"]));
  const lost = (slice: string) => counters.total(slice, "", null).lostDevices;
  assert.deepEqual([lost("a"), lost("b"), lost("c")], [0, 1, 0]);
});
