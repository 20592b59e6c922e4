import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { SliceStatus } from "parhelion-host";
import { errorOf, inWorkplace, type Running, until, type Workplace } from "../command.test.fixture.js";
import { VfioClient } from "../vfio/client.test.fixture.js";
import type { ServableDevice } from "../vfio/servable.js";

const config = 7;

async function withHost(run: (place: Workplace, host: Running) => Promise<void>): Promise<void> {
  await inWorkplace(async (place) => {
    const host = place.start(["host", "--adapter", "null", "--adapter-memory", "8GiB", "--json"]);
    await host.says("\n");
    await run(place, host);
  });
}

test("a serial card is served without a host, until the command is asked to end", () =>
  inWorkplace(async (place) => {
    const [card, line] = ["card", "line"].map((name) => join(place.directory, name)) as [string, string];
    const serve = place.start([
      ...["vfio", "serve", "serial:2", "--socket", "card", "--line", "loop-back", "--line", "unix:line"],
      "--json",
    ]);
    await serve.says("\n");
    const ready = JSON.parse(serve.out) as Record<string, unknown>;
    assert.deepEqual(ready, {
      event: "listening",
      device: "serial:2",
      socket: card,
      lines: [
        { port: 0, what: "loop-back", path: null },
        { port: 1, what: "unix", path: line },
      ],
    });
    const client = await VfioClient.connect(card);
    assert.equal((await client.read(config, 0, 4)).toString("hex"), "48435332");
    const peer = connect(line);
    // Connected is not yet plugged in: that is seen by the carrier.
    await until("somebody is on the line", async () => ((await client.read(1, 6, 1))[0] ?? 0) >= 0x80);
    // Eight bits, then a character each way.
    for (const bar of [0, 1]) await client.write(bar, 3, Uint8Array.of(3));
    await client.write(0, 0, Uint8Array.of(0x41));
    assert.equal((await client.read(0, 0, 1)).toString(), "A");
    const [sent] = await Promise.all([once(peer, "data"), client.write(1, 0, Uint8Array.of(0x42))]);
    assert.equal(String(sent[0]), "B");
    peer.write("C");
    await until("the character has arrived", async () => ((await client.read(1, 5, 1))[0] ?? 0) % 2 === 1);
    assert.equal((await client.read(1, 0, 1)).toString(), "C");
    serve.kill("SIGTERM");
    await client.gone();
    assert.deepEqual([(await serve.ended).status, serve.err], [0, ""]);
    assert.deepEqual([existsSync(card), existsSync(line)], [false, false]);
    peer.destroy();
  }));

test("what can't be served is refused, each with what helps", () =>
  inWorkplace(async (place) => {
    const refused = async (status: number, ...args: readonly string[]) =>
      errorOf(await place.run(["vfio", "serve", ...args, "--socket", "s", "--json"]), status).code;
    const wrong = (...args: readonly string[]) => refused(1, ...args);
    const wrongUse = (...args: readonly string[]) => refused(2, ...args);
    assert.equal(await wrong("parallel"), "no-device");
    assert.equal(await wrong("serial:3"), "no-device");
    assert.equal(await wrong("ffff"), "no-host");
    assert.equal(await wrongUse("ffff", "--line", "loop-back"), "bad-line");
    assert.equal(await wrongUse("ccw:disk", "--line", "loop-back"), "bad-line");
    assert.equal(await wrongUse("serial", "--line", "nowhere"), "bad-line");
    assert.equal(await wrongUse("serial", "--line", "loop-back", "--line", "loop-back"), "bad-line");
    assert.equal(await wrong("serial", "--line", "unix:no/line"), "listen-failed");
    const nowhere = await place.run(["vfio", "serve", "serial", "--socket", "no/s", "--json"]);
    assert.equal(errorOf(nowhere).code, "listen-failed");
    const file = place.file("taken", "text");
    const taken = await place.run(["vfio", "serve", "serial", "--socket", "taken", "--json"]);
    assert.equal(errorOf(taken).code, "listen-failed");
    assert.equal(readFileSync(file, "utf8"), "text", "what is no socket stays");
    const first = place.start(["vfio", "serve", "serial", "--socket", "s"]);
    await first.says("serving serial");
    assert.equal(await wrong("serial"), "listen-failed");
    first.kill("SIGINT");
    assert.equal((await first.ended).status, 0);
    assert.equal((await place.run(["vfio", "serve", "serial"])).status, 2);
  }));

test("a disk image is served as a channel device, until the command is asked to end", () =>
  inWorkplace(async (place) => {
    const fixture = new URL("../../../ccw/fixtures/loaded-zlib.cckd.gz", import.meta.url);
    writeFileSync(place.file("disk.cckd", ""), gunzipSync(readFileSync(fixture)));
    const serve = place.start(["vfio", "serve", "ccw:disk.cckd", "--socket", "disk", "--json"]);
    await serve.says("listening");
    const client = await VfioClient.connect(join(place.directory, "disk"));
    client.close();
    serve.kill("SIGTERM");
    assert.deepEqual([(await serve.ended).status, existsSync(join(place.directory, "disk"))], [0, false]);
    const nothing = await place.run(["vfio", "serve", "ccw:nothing", "--socket", "disk", "--json"]);
    assert.match(errorOf(nothing).code, /^(image-|ENOENT)/);
  }));

test("a slice is served by its host while it is used as vfio, and given up when it is taken away", () =>
  withHost(async (place) => {
    const slice = await place.json<SliceStatus>("slice", "create", "--type", "half", "--vfio");
    const { uuid } = slice;
    assert.equal(slice.use, "vfio");
    const listed = async (): Promise<ServableDevice | undefined> =>
      (await place.json<ServableDevice[]>("vfio", "ls")).find(({ device }) => device === uuid);
    assert.deepEqual([(await listed())?.state, (await listed())?.socket], ["ready", null]);
    const socket = join(place.directory, "vgpu");
    const serve = place.start(["vfio", "serve", uuid.slice(0, 13), "--socket", "vgpu"]);
    await serve.says(`serving ${uuid} at ${socket}`);
    assert.deepEqual([(await listed())?.state, (await listed())?.socket], ["served", socket]);
    const again = await place.run(["vfio", "serve", uuid, "--socket", "other", "--json"]);
    assert.equal(errorOf(again).code, "slice-served");
    const client = await VfioClient.connect(socket);
    assert.equal((await client.read(config, 0, 4)).toString("hex"), "14148e00");
    assert.equal((await client.read(0, 0, 4)).toString(), "phgp");
    assert.equal((await place.run(["unbind", uuid])).status, 0);
    await client.gone();
    const ended = await serve.ended;
    assert.deepEqual([ended.status, existsSync(socket)], [1, false]);
    assert.match(ended.err, /served no more/);
    assert.equal((await listed())?.state, "unbound");
    const unbound = await place.run(["vfio", "serve", uuid, "--socket", "vgpu", "--json"]);
    assert.equal(errorOf(unbound).code, "slice-not-vfio");
    assert.equal((await place.run(["bind", uuid, "vfio"])).status, 0);
    const shown = await place.json<SliceStatus>("slice", "show", uuid);
    assert.equal(shown.use, "vfio");
  }));

test("a served slice goes with its command and with its host", () =>
  withHost(async (place, host) => {
    const { uuid } = await place.json<SliceStatus>("slice", "create", "--vfio");
    const socket = join(place.directory, "vgpu");
    const first = place.start(["vfio", "serve", uuid, "--socket", "vgpu"]);
    await first.says("serving");
    first.kill("SIGTERM");
    assert.equal((await first.ended).status, 0);
    assert.equal(existsSync(socket), false);
    const second = place.start(["vfio", "serve", uuid, "--socket", "vgpu"]);
    await second.says("serving");
    host.kill("SIGTERM");
    assert.equal((await host.ended).status, 0);
    assert.deepEqual([(await second.ended).status, existsSync(socket)], [1, false]);
  }));
