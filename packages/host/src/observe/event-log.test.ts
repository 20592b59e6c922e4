import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime, type LogRecord } from "parhelion-core";
import { maxAdminLine } from "../admin/json-lines.js";
import { EventLog, type HostEvent } from "./event-log.js";
import { eventMethods } from "./event-methods.js";

const options = { wallTime: () => 0 };
/** Never reached: what waits is woken. */
const longMs = 60_000;

function guestRemoved(log: EventLog, guest: string): void {
  log.hear().log("info", "guest.removed", { guest });
}

test("what the host logs under an event's name is kept, numbered, with the listed fields alone", async () => {
  const records: LogRecord[] = [];
  const log = new EventLog(createRuntime({ log: (record) => records.push(record) }), {
    wallTime: () => 86_400_000,
  });
  const runtime = log.hear();
  runtime.log("info", "guest.removed", { guest: "g", credential: "secret" });
  runtime.log("info", "nothing.known", { guest: "g" });
  runtime.log("debug", "limit.reached", { reason: "too many", guest: "g" });
  runtime.log("error", "admin.failed", { error: Object.assign(new Error("no"), { code: "EIO" }) });
  assert.deepEqual(await log.after(0, 10, 0), {
    events: [
      {
        seq: 1,
        time: "1970-01-02T00:00:00.000Z",
        level: "info",
        event: "guest.removed",
        fields: { guest: "g" },
      },
      {
        seq: 2,
        time: "1970-01-02T00:00:00.000Z",
        level: "error",
        event: "admin.failed",
        fields: { error: { name: "Error", message: "no", code: "EIO" } },
      },
    ],
    next: 2,
    lost: 0,
  });
  assert.equal(records.length, 4);
});

test("a listener hears what is too much to be kept as well", () => {
  const log = new EventLog(createRuntime(), options);
  const heard: string[] = [];
  log.listen((event, { guest }) => heard.push(`${event} ${String(guest)}`));
  log.hear().log("debug", "limit.reached", { reason: "", guest: "g" });
  guestRemoved(log, "h");
  assert.deepEqual(heard, ["limit.reached g", "guest.removed h"]);
});

test("whoever reads page by page gets every event once and in order, or is told how many are gone", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.constant("write"), fc.integer({ min: 1, max: 5 })), { maxLength: 60 }),
      fc.integer({ min: 1, max: 8 }),
      async (steps, kept) => {
        const log = new EventLog(createRuntime(), { ...options, kept });
        let written = 0;
        let next = 0;
        let lost = 0;
        const seen: number[] = [];
        const read = async (most: number) => {
          const page = await log.after(next, most, 0);
          assert.ok(page.events.length <= most);
          lost += page.lost;
          seen.push(...page.events.map(({ seq }) => seq));
          next = page.next;
        };
        for (const step of steps) {
          if (step === "write") guestRemoved(log, String(++written));
          else await read(step);
        }
        while (next < written) await read(3);
        assert.equal(seen.length + lost, written);
        assert.deepEqual(
          seen,
          [...new Set(seen)].sort((a, b) => a - b),
        );
      },
    ),
  );
});

test("a page fits into a line of the admin socket, whatever was logged", async () => {
  const log = new EventLog(createRuntime(), options);
  for (let i = 0; i < 300; i++) guestRemoved(log, "\u0000".repeat(5000));
  const seen: HostEvent[] = [];
  for (let next = 0; next < 300; ) {
    const page = await log.after(next, 256, 0);
    assert.ok(JSON.stringify({ id: 1, result: page }).length < maxAdminLine);
    assert.ok(page.events.length > 0);
    seen.push(...page.events);
    next = page.next;
  }
  assert.equal(seen.length, 300);
});

test("who waits gets the event that comes, and all that waits ends with the log", async () => {
  const log = new EventLog(createRuntime(), options);
  const waiting = log.after(0, 10, longMs);
  guestRemoved(log, "g");
  assert.deepEqual((await waiting).events.length, 1);
  const ending = log.after(1, 10, longMs);
  log.close();
  assert.deepEqual(await ending, { events: [], next: 1, lost: 0 });
  assert.deepEqual(await log.after(1, 10, 1), { events: [], next: 1, lost: 0 });
});

test("a number from an earlier run of the host gets all that there is", async () => {
  const log = new EventLog(createRuntime(), options);
  guestRemoved(log, "g");
  assert.deepEqual((await log.after(1000, 10, 0)).events.length, 1);
});

test("the admin method refuses nonsense and bounds the rest", async () => {
  const { events } = eventMethods(new EventLog(createRuntime(), options));
  for (const bad of [{ since: -1 }, { most: "1" }, { waitMs: 1.5 }, { since: Number.NaN }])
    await assert.rejects(events(bad), /must be a whole number/);
  assert.deepEqual(await events({ most: 0 }), { events: [], next: 0, lost: 0 });
});
