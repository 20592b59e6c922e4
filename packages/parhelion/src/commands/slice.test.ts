import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { AdapterStatus, SliceStatus, SliceTypeStatus } from "parhelion-host";
import { type Ended, errorOf, inWorkplace, nodeWords, type Workplace } from "../command.test.fixture.js";
import { registerHook } from "../guest/guest-environment.js";
import { squares } from "../integration/programs.test.fixture.js";

const GiB = 2 ** 30;

/** A host without a GPU: slices are made and moved, and nothing is computed. */
async function withHost(run: (place: Workplace) => Promise<void>, ...args: readonly string[]): Promise<void> {
  await inWorkplace(async (place) => {
    const host = place.start(["host", "--adapter", "null", "--adapter-memory", "8GiB", "--json", ...args]);
    await host.says("\n");
    await run(place);
  });
}

function failure({ status, err }: Ended, ...texts: readonly RegExp[]): void {
  assert.equal(status, 1, err);
  for (const text of texts) assert.match(err, text);
}

const holder = `
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  device.lost.then(({ message }) => { console.log("lost", message); process.exit(4); });
  console.log("device");
  setTimeout(() => {}, 600_000);`;

test("slices are made by type until no more fit, and the refusal says what is left", () =>
  withHost(async (place) => {
    const made = await place.run(["slice", "create", "--type", "half"]);
    assert.match(made.out, /^[0-9a-f-]{36}\n$/);
    const custom = await place.json<SliceStatus>("slice", "create", "--memory", "2GiB", "--share", "0.25");
    assert.deepEqual(
      [custom.type, custom.descriptor.share, custom.memory?.grant, custom.use, custom.guest],
      ["custom", 0.25, 2 * GiB, "projected", ""],
    );
    const types = await place.json<SliceTypeStatus[]>("slice", "types");
    assert.deepEqual(types.map(({ type, available }) => [type, available]).slice(0, 4), [
      ["full", 0],
      ["half", 0],
      ["quarter", 1],
      ["eighth", 2],
    ]);
    failure(
      await place.run(["slice", "create", "--type", "half"]),
      /adapterMemory/,
      /2147483648 bytes .*left/,
    );
    const refusal = errorOf(await place.run(["slice", "create", "--type", "half", "--json"]));
    assert.equal(refusal.code, "limit-reached");
    failure(
      await place.run(["slice", "create", "--type", "half", "--share", "0.1"]),
      /share can't be chosen/,
    );
    const listed = await place.run(["slice", "ls"]);
    for (const text of [made.out.trim(), custom.uuid, "half", "custom"]) assert.ok(listed.out.includes(text));
  }));

test("words that are no sizes, numbers, types or slices are refused, each with what it may be", () =>
  withHost(async (place) => {
    const wrong = async (...args: readonly string[]) => (await place.run(["slice", ...args])).err;
    assert.match(await wrong("create", "--memory", "much"), /512MiB/);
    assert.match(await wrong("create", "--type", "third"), /Allowed choices are full, half/);
    assert.match(await wrong("create", "--weight", "x"), /It is a number/);
    assert.match(await wrong("create", "--cap", "2"), /cap is 2.*0.001 to 1/);
    assert.match(await wrong("create", "--engines", "2"), /engines is 2/);
    assert.match(await wrong("create", "--uuid", "me"), /uuid must be a UUID/);
    assert.match(await wrong("create", "--guest", "nobody"), /there is no guest nobody/);
    assert.match(await wrong("create", "--adapter", "adapter9"), /no adapter adapter9.*adapter0/s);
    assert.match(await wrong("show", "ffff"), /no slice's UUID begins/);
    assert.match(await wrong("resize", "ffff"), /nothing is to be changed/);
    assert.match(await wrong("move", "ffff"), /where to/);
    assert.equal((await place.json<SliceStatus[]>("slice", "ls")).length, 0);
  }));

test("a slice is resized, handed from guest to guest and removed while it is in use", () =>
  withHost(async (place) => {
    const run = place.start(["run", "--type", "quarter", "--name", "first", "--", ...nodeWords(holder)]);
    await run.says("device");
    const [slice] = await place.json<SliceStatus[]>("slice", "ls");
    assert.ok(slice);
    assert.deepEqual([slice.type, slice.devices, slice.engine.state], ["quarter", 1, "ready"]);
    const short = slice.uuid.slice(0, 13);
    const resize = await place.run(["slice", "resize", short, "--memory", "3GiB", "--node-opens", "9"]);
    assert.deepEqual([resize.status, resize.out, resize.err], [0, "", ""]);
    const resized = await place.json<SliceStatus>("slice", "show", short);
    assert.deepEqual(
      [resized.type, resized.memory?.grant, resized.descriptor.nodeOpens, resized.devices],
      ["custom", 3 * GiB, 9, 1],
    );
    const other = await place.json<{ id: string }>("guest", "create", "--slices", "0");
    const stale = await place.run([
      ...["slice", "move", short, "--guest", other.id],
      ...["--generation", String(slice.generation - 1)],
    ]);
    failure(stale, /has generation/);
    const moved = await place.json<SliceStatus>("slice", "move", short, "--guest", other.id);
    assert.deepEqual([moved.guest, moved.engine.state], [other.id, "stopped"]);
    assert.ok(moved.generation > slice.generation);
    const ended = await run.ended;
    assert.equal(ended.status, 4, ended.err);
    const removed = await place.run(["slice", "remove", short]);
    assert.deepEqual([removed.status, removed.out, removed.err], [0, "", ""]);
    assert.deepEqual((await place.json<SliceStatus[]>("slice", "ls")).length, 0);
  }));

test("adapters go and come, and their slices with them", () =>
  withHost(
    async (place) => {
      const half = await place.json<SliceStatus>(
        "slice",
        "create",
        "--type",
        "half",
        "--adapter",
        "adapter1",
      );
      await place.run(["adapter", "remove", "adapter1"]);
      const [away] = await place.json<SliceStatus[]>("slice", "ls");
      assert.deepEqual([away?.uuid, away?.presence], [half.uuid, "away"]);
      failure(await place.run(["adapter", "remove", "adapter1"]), /adapter1 is absent/);
      assert.equal((await place.run(["adapter", "add", "adapter1"])).out, "adapter1\n");
      const added = await place.json<AdapterStatus>(
        "adapter",
        "add",
        "--adapter",
        "null",
        "--memory",
        "1GiB",
      );
      assert.deepEqual([added.name, added.memory?.bytes], ["adapter2", GiB]);
      const [back] = await place.json<SliceStatus[]>("slice", "ls");
      assert.deepEqual([back?.uuid, back?.presence], [half.uuid, "present"]);
      const moved = await place.json<SliceStatus>("slice", "move", half.uuid, "--adapter", "adapter2");
      assert.deepEqual([moved.adapter, moved.memory?.grant], ["adapter2", GiB / 2]);
      const adapters = await place.json<AdapterStatus[]>("adapter", "ls");
      assert.deepEqual(
        adapters.map(({ name, left }) => [name, left?.share]),
        [
          ["adapter0", 1],
          ["adapter1", 1],
          ["adapter2", 0.5],
        ],
      );
    },
    "--adapter",
    "null",
  ));

test("what is said about memory fits the adapters that there are", () =>
  inWorkplace(async (place) => {
    const args = ["--adapter-memory", "1GiB", "--adapter-memory", "2GiB"];
    const ended = await place.run(["host", "--adapter", "null", ...args]);
    failure(ended, /--adapter-memory was given 2 times, --adapter 1 times/);
  }));

test("a program on the host computes on a slice that the host uses itself, until it is taken away", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { uuid } = await place.json<SliceStatus>("slice", "create", "--local");
    const directory = join(place.state, "local", uuid);
    const environment = { PARHELION_DIR: directory, NODE_OPTIONS: `--import=${registerHook()}` };
    const [node = "", ...words] = nodeWords(squares);
    const { status, out, err } = await place.program(node, words, { environment }).ended;
    assert.deepEqual([status, out], [0, "squares 1046530\n"], err);
    const unbound = await place.run(["unbind", uuid.slice(0, 8)]);
    assert.equal(unbound.status, 0, unbound.err);
    assert.equal(existsSync(directory), false);
    const shown = await place.json<SliceStatus>("slice", "show", uuid);
    assert.equal(shown.use, null);
    const bound = await place.run(["bind", uuid.slice(0, 8), "local"]);
    assert.equal(bound.status, 0, bound.err);
    assert.equal(existsSync(join(directory, "dxg0")), true);
  }));
