import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, holder, inWorkplace, nodeWords } from "../command.test.fixture.js";

interface Line {
  readonly slices: readonly {
    readonly guest: string;
    readonly engine: string;
    readonly submits: number | null;
  }[];
  readonly guests: readonly { readonly id: string; readonly name: string; readonly processes: number }[];
  readonly adapters: readonly { readonly name: string; readonly health: string }[];
}

test("top tells of each slice and guest, as a page and as a line of JSON", () =>
  inWorkplace(async (place) => {
    await place.host();
    const program = place.start(["run", "--name", "painter", "--", ...nodeWords(holder)]);
    await program.says("device");
    const { status, out, err } = await place.run(["top", "--once", "--interval", "0.1"]);
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /^host \d+ {3}1 slice, 1 guest\nadapter0 {2}software/);
    assert.match(out, /\nSLICE .*\n[0-9a-f]{8} .* ready /);
    assert.match(out, /\nGUEST .*\n[0-9a-f]{8} painter +local +1 +1 /);
    for (const line of out.split("\n")) assert.ok([...line].length <= 80, line);
    const line = await place.json<Line>("top", "--once", "--interval", "0.1", "--sort", "memory");
    assert.deepEqual(
      line.slices.map(({ engine, submits }) => [engine, submits]),
      [["ready", 0]],
    );
    assert.equal(line.guests[0]?.processes, 1);
    assert.equal(line.slices[0]?.guest, line.guests[0].id);
  }));

test("a host that goes away while it is watched is one error, with 1", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const top = place.start(["top", "--interval", "0.1"]);
    await top.says("no slices");
    host.kill("SIGKILL");
    const { status, err } = await top.ended;
    assert.equal(status, 1);
    assert.match(err, /^parhelion: the host in .* ended the connection\n {2}it was stopped or it died/);
  }));

test("Ctrl-C is no failure, no host is one, and wrong words are wrong use", () =>
  inWorkplace(async (place) => {
    assert.equal(errorOf(await place.run(["top", "--json"])).code, "no-host");
    for (const words of [
      ["--interval", "0"],
      ["--interval", "x"],
      ["--sort", "beauty"],
    ])
      assert.equal((await place.run(["top", ...words])).status, 2, words.join(" "));
    await place.host();
    const top = place.start(["top", "--interval", "0.1"]);
    await top.says("no slices");
    top.kill("SIGINT");
    const { status, err } = await top.ended;
    assert.deepEqual([status, err], [0, ""]);
  }));
