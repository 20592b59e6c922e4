import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostStatus, SliceDescriptor } from "parhelion-host";
import { holder, inWorkplace, nodeWords } from "../command.test.fixture.js";
import { view } from "./ls.js";

test("ls shows a running guest, its process and its devices, and --json all of it", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const empty = await place.run(["ls"]);
    assert.match(empty.out, /no slices\n\nno guests\n\nno processes\n$/);
    const run = place.start(["run", "--name", "painter", "--", ...nodeWords(holder)]);
    await run.says("device");
    const status = await place.status();
    assert.equal(status.pid, host.pid);
    const [guest] = status.guests;
    const [slice] = status.slices;
    assert.ok(guest && slice);
    assert.deepEqual([guest.name, guest.connection, guest.slices], ["painter", "local", [slice.uuid]]);
    const [process] = guest.processes;
    assert.equal(process?.devices, 1);
    assert.equal(process?.name, "node");
    assert.deepEqual(
      [slice.guest, slice.devices, slice.queues, slice.engine.state],
      [guest.id, 1, 1, "ready"],
    );
    assert.equal(slice.statistics?.devices, 1);
    const { out } = await place.run(["ls"]);
    for (const text of ["painter", guest.id, slice.uuid.slice(0, 8), String(process?.pid), "SwiftShader"])
      assert.ok(out.includes(text), `${text} in ${out}`);
    for (const line of out.split("\n")) assert.ok(line.length <= 100, line);
  }));

const describedAsIs: SliceDescriptor = {
  type: "quarter",
  memory: { reservedBytes: 2 ** 42, limitBytes: 2 ** 42 },
  share: 0.25,
  weight: 2,
  cap: 1,
  submissionMs: 2000,
  objects: 1_000_000,
  bytesInFlight: 2 ** 28,
  engines: 1,
  nodeOpens: 1024,
};

test("tables stay within 100 columns whatever people and drivers call things", () => {
  const uuid = "a2f3077b-bfac-491e-9fb4-67ee1125a916";
  const status: HostStatus = {
    pid: 1,
    stateDirectory: "/tmp/parhelion-0",
    listening: null,
    adapters: [
      {
        name: "adapter0",
        presence: "present",
        kind: "hardware",
        description: "a long name ".repeat(20),
        fallback: false,
        memory: { bytes: 2 ** 44, source: "configured" },
        left: { memoryBytes: 2 ** 44 - 1, share: 0.123456, slices: 4096 },
      },
    ],
    slices: [
      {
        uuid,
        generation: 1,
        type: "quarter",
        descriptor: describedAsIs,
        adapter: "adapter0",
        presence: "away",
        use: "projected",
        guest: "44df7557",
        engine: {
          state: "backing-off",
          pid: undefined,
          starts: 1,
          failures: 1,
          sandbox: [],
          lastFailure: "it ended",
          retryInMs: 1000,
        },
        devices: 1024,
        queues: 16384,
        allocatedBytes: 0,
        statistics: {
          devices: 1,
          queues: 1,
          objects: 2,
          submits: 123_456_789,
          bytesReceived: 1,
          residentBytes: 2 ** 40 - 1,
        },
      },
    ],
    guests: [
      {
        id: "44df7557",
        name: "n".repeat(128),
        directory: "/run/user/1000/parhelion/g/44df7557",
        connection: "remote",
        slices: [uuid],
        processes: [{ handle: 1, pid: 4_194_304, name: "dxg0#4294967295", devices: 1024 }],
      },
    ],
  };
  const lines = view(status).split("\n");
  for (const line of lines) assert.ok(line.length <= 100, line);
  assert.ok(lines.some((line) => line.includes("…")));
});
