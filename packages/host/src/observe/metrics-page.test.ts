import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AdapterStatus, GuestStatus, HostStatus, SliceStatus } from "../status.js";
import { parseExposition } from "./exposition.test.fixture.js";
import { hostMetrics, type MetricEntry } from "./metric-list.js";
import { MetricsPage } from "./metrics-page.js";

const count = fc.nat();
const bytes = fc.nat({ max: 2 ** 40 });
/** Whatever a driver or an administrator calls something. */
const anyText = fc.string({ unit: fc.constantFrom("a", "ß", '"', "\\", "\n", "{", "}", ",", "=", " ", "#") });
/** Names of things that there is one of. */
const key = fc.integer({ min: 0, max: 2 ** 32 }).map((number) => number.toString(16).padStart(8, "0"));

const adapter: fc.Arbitrary<AdapterStatus> = fc.record({
  name: key,
  kind: fc.constantFrom("hardware", "software", "null"),
  description: anyText,
  fallback: fc.boolean(),
  memory: fc.option(fc.record({ bytes, source: fc.constant("assumed") })),
  left: fc.option(fc.record({ memoryBytes: bytes, share: fc.constantFrom(0, 0.25, 1), slices: count })),
  health: fc.record({
    state: fc.constantFrom("healthy", "suspect", "drained", "re-probed"),
    reason: anyText,
    sinceMs: count,
    probes: fc.record({ passed: count, failed: count }),
    nextProbeMs: fc.option(count),
  }),
}) as fc.Arbitrary<AdapterStatus>;

const slice = fc.record(
  {
    uuid: key,
    generation: count,
    type: fc.constantFrom("full", "shared"),
    adapter: key,
    guest: key,
    engine: fc.record({ state: fc.constantFrom("ready", "stopped"), starts: count }),
    devices: count,
    queues: count,
    allocatedBytes: bytes,
    statistics: fc.option(
      fc.record({
        devices: count,
        queues: count,
        objects: count,
        submits: count,
        bytesReceived: bytes,
        residentBytes: bytes,
      }),
    ),
    totals: fc.record({ submits: count, receivedBytes: bytes, lostDevices: count, engineFailures: count }),
    memory: fc.record({
      limit: bytes,
      grant: bytes,
      reserved: bytes,
      used: bytes,
      peak: bytes,
      refused: count,
    }),
    time: fc.record({
      busyMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
      share: fc.constant(0.25),
      chargedMs: count,
      overruns: count,
    }),
  },
  {
    requiredKeys: [
      "uuid",
      "generation",
      "type",
      "adapter",
      "guest",
      "engine",
      "devices",
      "queues",
      "statistics",
    ],
  },
) as fc.Arbitrary<unknown> as fc.Arbitrary<SliceStatus>;

const guest = fc.record({
  id: key,
  name: anyText,
  connection: fc.constantFrom("none", "local", "remote"),
  slices: fc.array(key),
  processes: fc.array(fc.constant({ handle: 1, pid: 1, name: "", devices: 0 })),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<GuestStatus>;

const status = fc.record({
  adapters: fc.uniqueArray(adapter, { selector: ({ name }) => name, maxLength: 3 }),
  slices: fc.uniqueArray(slice, { selector: ({ uuid }) => uuid, maxLength: 5 }),
  guests: fc.uniqueArray(guest, { selector: ({ id }) => id, maxLength: 3 }),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<HostStatus>;

test("every page is well-formed and says of each metric what the status says", async () => {
  const page = new MetricsPage();
  const events = new Map([["device.lost", 3] as const]);
  const refusals = new Map([["guests", 2]]);
  await fc.assert(
    fc.asyncProperty(status, async (status) => {
      const sample = { status, counters: { events, refusals }, startedAt: 1.5e9 };
      const families = parseExposition(await page.render(sample));
      for (const [name, entry] of Object.entries<MetricEntry>(hostMetrics)) {
        const family = families.get(name);
        assert.ok(family !== undefined, `${name} is missing`);
        assert.deepEqual([family.kind, family.help], [entry.kind, entry.help]);
        const expected = entry.read(sample).map(([labels, value]) => ({ labels, value }));
        assert.deepEqual(
          family.samples.map(({ labels, value }) => ({ labels, value })),
          expected,
          name,
        );
      }
      assert.equal(families.size, Object.keys(hostMetrics).length);
    }),
    { numRuns: 60 },
  );
});

test("names follow Prometheus' conventions: a prefix, a base unit at the end, _total for counters", () => {
  for (const [name, entry] of Object.entries<MetricEntry>(hostMetrics)) {
    assert.match(name, /^parhelion_[a-z]+(_[a-z]+)*$/);
    assert.equal(name.endsWith("_total"), entry.kind === "counter", name);
    assert.doesNotMatch(name, /_(ms|milliseconds|kb|mb|mib|percent|count)(_|$)/);
    assert.match(entry.help, /^[A-Z1].*\.$/);
    for (const label of entry.labels) assert.match(label, /^[a-z]+$/);
  }
});

test("two pages of one process have nothing to do with each other", async () => {
  const none = { adapters: [], slices: [], guests: [] } as unknown as HostStatus;
  const sample = { status: none, counters: { events: new Map(), refusals: new Map() } };
  const [first, second] = [new MetricsPage(), new MetricsPage()];
  const [one, two] = await Promise.all([
    first.render({ ...sample, startedAt: 1 }),
    second.render({ ...sample, startedAt: 2 }),
  ]);
  assert.match(one, /^parhelion_host_start_time_seconds 1$/m);
  assert.match(two, /^parhelion_host_start_time_seconds 2$/m);
});

test("what is gone from the status is gone from the page", async () => {
  const page = new MetricsPage();
  const counters = { events: new Map(), refusals: new Map() };
  const [some] = fc.sample(slice, { numRuns: 1, seed: 1 });
  const of = (slices: readonly (SliceStatus | undefined)[]) =>
    page.render({
      status: { adapters: [], slices, guests: [] } as unknown as HostStatus,
      counters,
      startedAt: 0,
    });
  assert.match(await of([some]), /parhelion_slice_info\{slice="/);
  assert.doesNotMatch(await of([]), /parhelion_slice_info\{slice="/);
});
