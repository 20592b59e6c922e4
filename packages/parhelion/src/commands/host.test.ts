import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { errorOf, inWorkplace, processesWith } from "../command.test.fixture.js";

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`a host says when it is ready, and ${signal} ends it in order with nothing left but what it keeps`, () =>
    inWorkplace(async (place) => {
      const { host, ready } = await place.host();
      assert.equal(ready.event, "ready");
      assert.equal(ready.pid, host.pid);
      assert.equal(ready.stateDirectory, place.state);
      assert.equal(ready.adapters[0]?.kind, "software");
      const guest = place.start(["run", "--", "sh", "-c", "echo up; exec sleep 60"]);
      await guest.says("up");
      host.kill(signal);
      const { status, err } = await host.ended;
      assert.equal(status, 0, err);
      assert.equal(err, "");
      assert.deepEqual(readdirSync(place.state).sort(), ["g", "store"]);
      guest.kill("SIGTERM");
      await guest.ended;
      assert.deepEqual(processesWith(place.directory), []);
    }));
}

test("a state directory that was there before stays, empty", () =>
  inWorkplace(async (place) => {
    mkdirSync(place.state);
    const { host } = await place.host();
    host.kill("SIGTERM");
    assert.equal((await host.ended).status, 0);
    assert.deepEqual(readdirSync(place.state), []);
  }));

test("a second host on the same directory names the first one's pid", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const error = errorOf(await place.run(["host", "--adapter", "software", "--json"]));
    assert.equal(error.code, "host-already-running");
    assert.ok(error.message.includes(`pid ${host.pid}`), error.message);
    assert.match(error.remedy, /another state directory/);
    assert.equal((await place.run(["ls", "--json"])).status, 0, "the first one goes on");
  }));

test("after kill -9 the next host starts in the same place", () =>
  inWorkplace(async (place) => {
    const first = await place.host();
    first.host.kill("SIGKILL");
    await first.host.ended;
    assert.ok(existsSync(join(place.state, "admin.sock")));
    const second = await place.host();
    assert.equal((await place.run(["ls", "--json"])).status, 0);
    second.host.kill("SIGTERM");
    assert.equal((await second.host.ended).status, 0);
  }));

test("an adapter that is not there is named with what was tried", () =>
  inWorkplace(async (place) => {
    const error = errorOf(await place.run(["host", "--adapter", "no such gpu", "--json"]));
    assert.equal(error.code, "no-adapter");
    assert.match(error.message, /"no such gpu".*software named.*SwiftShader.*has another name/);
    assert.match(error.remedy, /"software"/);
    assert.ok(!existsSync(place.state), "nothing is left behind");
  }));

test("a port in use is named", () =>
  inWorkplace(async (place) => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      const { port } = server.address() as { port: number };
      const error = errorOf(
        await place.run(["host", "--adapter", "software", "--listen", String(port), "--json"]),
      );
      assert.equal(error.code, "listen-failed");
      assert.ok(error.message.includes(`127.0.0.1:${port}`), error.message);
      assert.match(error.message, /EADDRINUSE/);
    } finally {
      server.close();
    }
  }));

test("a state directory too long for sockets is refused before it is made, by every command", () =>
  inWorkplace(async (place) => {
    const long = join(place.directory, "x".repeat(110));
    for (const command of [["host"], ["ls"], ["guest"], ["guest", "create"]]) {
      const error = errorOf(await place.run([...command, "--state", long, "--json"]));
      assert.equal(error.code, "socket-path-too-long");
      assert.match(error.message, /at most 107/);
      assert.match(error.remedy, /shorter/);
    }
    const run = await place.run(["run", "--state", long, "--", "true"]);
    assert.equal(run.status, 1);
    assert.match(run.err, /at most 107/);
    assert.ok(!existsSync(long));
  }));

test("a state directory that is a file is refused", () =>
  inWorkplace(async (place) => {
    const error = errorOf(await place.run(["host", "--state", place.file("f", ""), "--json"]));
    assert.equal(error.code, "state-directory-unusable");
  }));
