import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostEvent } from "parhelion-host";
import { errorOf, inWorkplace } from "../command.test.fixture.js";

const eventsIn = (text: string): HostEvent[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as HostEvent);

test("events prints what has happened, or what came after a number, as lines or JSON", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { id } = await place.json<{ id: string }>("guest", "create", "--name", "a painter");
    await place.run(["guest", "remove", id]);
    const plain = await place.run(["events"]);
    assert.equal(plain.status, 0);
    assert.match(plain.out, /^ +1 \d{4}-\d\d-\d\dT[\d:.]+Z info {2}[a-z.-]+/);
    assert.match(plain.out, new RegExp(` info  guest\\.created guest=${id} name="a painter" slices=1\\n`));
    const { out } = await place.run(["events", "--json"]);
    const events = eventsIn(out);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_event, index) => index + 1),
    );
    const created = events.find(({ event }) => event === "guest.created");
    assert.equal(created?.fields["guest"], id);
    const later = await place.run(["events", "--json", "--since", String(created.seq)]);
    assert.deepEqual(
      eventsIn(later.out).map(({ seq }) => seq),
      events.slice(created.seq).map(({ seq }) => seq),
    );
    assert.ok(eventsIn(later.out).some(({ event }) => event === "guest.removed"));
  }));

test("follow goes on with what happens, until it is asked to end or the host goes", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const [one, two] = [place.start(["events", "--follow", "--json"]), place.start(["events", "--follow"])];
    await one.says("host.started");
    await two.says("host.started");
    await place.json("guest", "create");
    await one.says("guest.created");
    await two.says("guest.created");
    one.kill("SIGINT");
    const ended = await one.ended;
    assert.deepEqual([ended.status, ended.err], [0, ""]);
    host.kill("SIGTERM");
    const { status, err, out } = await two.ended;
    assert.equal(status, 1);
    assert.match(err, /^parhelion: the host in .* ended the connection/);
    assert.match(out, / host\.stopping /);
  }));

test("no host, and a number that is none, are errors", () =>
  inWorkplace(async (place) => {
    assert.equal(errorOf(await place.run(["events", "--json"])).code, "no-host");
    assert.equal((await place.run(["events", "--since", "-1"])).status, 2);
  }));
