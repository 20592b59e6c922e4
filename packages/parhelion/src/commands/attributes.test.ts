import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, inWorkplace } from "../command.test.fixture.js";

test("cat prints values, one after the other, by path or devpath", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { status, out, err } = await place.run([
      "cat",
      "/sys/devices/adapter0/kind",
      "/devices/adapter0/description",
    ]);
    assert.deepEqual([status, err], [0, ""]);
    assert.match(out, /^software\n.*SwiftShader.*\n$/);
    const { values } = await place.json<{ values: unknown }>("cat", "/devices/adapter0/kind");
    assert.deepEqual(values, [{ path: "/sys/devices/adapter0/kind", value: "software\n" }]);
  }));

test("write stores a value with its newline, from the command line and from standard input", () =>
  inWorkplace(async (place) => {
    await place.host();
    const attribute = "/sys/bus/mdev/drivers_autoprobe";
    const written = await place.run(["write", attribute, "0"]);
    assert.deepEqual([written.status, written.out, written.err], [0, "", ""]);
    assert.equal((await place.run(["cat", attribute])).out, "0\n");
    const piped = await place.run(["write", attribute, "-", "--json"], { input: "1" });
    assert.deepEqual(JSON.parse(piped.out), { path: attribute, value: "1\n" });
    assert.equal((await place.run(["cat", attribute])).out, "1\n");
  }));

test("what can't be read or written is refused by its errno, with what to do", () =>
  inWorkplace(async (place) => {
    await place.host();
    const refusals: readonly (readonly [string, readonly string[], string?])[] = [
      ["EACCES", ["write", "/sys/devices/adapter0/kind", "hardware"]],
      ["EACCES", ["cat", "/sys/bus/mdev/drivers/projected/unbind"]],
      ["EISDIR", ["cat", "/sys/devices/adapter0"]],
      ["ENOENT", ["cat", "/sys/devices/adapter0/kin"]],
      ["EINVAL", ["write", "/sys/devices/adapter0/uevent", "explode"]],
      ["ENODEV", ["write", "/sys/bus/mdev/drivers/projected/bind", "nobody"]],
      ["E2BIG", ["write", "/sys/devices/adapter0/uevent", "-"], "x".repeat(5000)],
      ["ENAMETOOLONG", ["cat", `/sys/${"x".repeat(5000)}`]],
    ];
    const checks = refusals.map(async ([code, words, input]) => {
      const error = errorOf(await place.run([...words, "--json"], input === undefined ? {} : { input }));
      assert.equal(error.code, code, error.message);
      assert.ok(error.message.startsWith(`${code}: `), error.message);
    });
    await Promise.all(checks);
    const { err } = await place.run(["cat", "/sys/devices/adapter0/kin"]);
    assert.match(err, /^parhelion: ENOENT: .*\n {2}did you mean \/sys\/devices\/adapter0\/kind\?/);
  }));
