import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseAddress } from "./address.js";
import { bin, inWorkplace } from "./command.test.fixture.js";

test("every command prints a help that names each of its options and fits a terminal", () =>
  inWorkplace(async (place) => {
    const options: Readonly<Record<string, readonly string[]>> = {
      "": ["host", "guest", "run", "ls", "doctor", "tree", "cat", "write", "monitor", "bind", "--version"],
      host: ["--state", "--adapter", "--listen", "--log-level", "--json"],
      guest: ["serve", "create", "remove"],
      "guest serve": ["--connect", "--credential-file", "--directory", "--background", "--json", "--name"],
      "guest create": ["--name", "--json"],
      "guest remove": ["<id>", "--json"],
      run: ["--isolate", "--visible", "--writable", "--carrier", "--adapter", "--name", "127"],
      ls: ["--json", "--state"],
      slice: ["types", "create", "ls", "show", "resize", "move", "remove"],
      "slice create": ["--type", "--memory", "--guest", "--local", "--uuid", "--node-opens", "--json"],
      "slice resize": ["<uuid>", "--weight", "--cap", "--share", "--generation", "--json"],
      "slice move": ["<uuid>", "--guest", "--nobody", "--adapter", "--generation", "--json"],
      "slice remove": ["<uuid...>", "--generation", "--json"],
      adapter: ["ls", "remove", "add"],
      doctor: ["--json", "--adapter"],
      dasd: ["info", "ls", "cat", "attach"],
      "dasd info": ["<image>", "--check", "--json"],
      "dasd ls": ["<image>", "[dataset]", "--json"],
      "dasd cat": ["<image>", "<dataset>", "--binary", "--json"],
      "dasd attach": ["<image>", "--socket", "--read-only", "--devno", "--durable", "--log-level", "--json"],
      console: ["attach"],
      "console attach": ["--socket", "--terminal", "--devno", "--log-level", "--json", "pty:LINK"],
      tree: ["[path]", "--depth", "--guest", "--host", "--state", "--json", "PARHELION_DIR"],
      cat: ["<path...>", "--guest", "--host", "--state", "--json"],
      write: ["<path>", "<text>", "--guest", "--json", "4096"],
      monitor: ["--subsystem", "--property", "--guest", "--json"],
      bind: ["<device>", "<driver>", "--guest", "--json"],
      unbind: ["<device>", "[driver]", "--guest", "--json"],
    };
    const helps = Object.entries(options).map(async ([words, names]) => {
      const { status, out, err } = await place.run([...words.split(" ").filter(Boolean), "--help"]);
      assert.equal(status, 0, err);
      assert.equal(err, "");
      for (const name of names) assert.ok(out.includes(name), `${words} --help tells of ${name}`);
      for (const line of out.split("\n")) assert.ok(line.length <= 115, line);
    });
    await Promise.all(helps);
  }));

test("--version prints the package's version", () =>
  inWorkplace(async (place) => {
    const manifest = JSON.parse(readFileSync(join(dirname(bin), "../package.json"), "utf8"));
    const { status, out } = await place.run(["--version"]);
    assert.deepEqual({ status, out }, { status: 0, out: `${manifest.version}\n` });
  }));

test("wrong use ends with 2, one message and nothing on standard output", () =>
  inWorkplace(async (place) => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["ls --foo", /unknown option '--foo'/],
      ["ls extra", /too many arguments/],
      ["hots", /unknown command 'hots'\n\(Did you mean host\?\)/],
      ["guest crate", /unknown command 'guest crate'\n\(Did you mean create\?\)/],
      ["guest xyz", /there are serve, create and remove/],
      ["guest remove", /missing required argument 'id'/],
      ["run", /missing required argument 'command'/],
      ["run --carrier pigeon -- true", /Allowed choices are shared-memory, stream/],
      ["run --isolate=glass -- true", /bubblewrap or namespaces/],
      ["host --listen nowhere", /PORT, HOST:PORT or \[IPV6\]:PORT/],
      ["host --listen 1:70000", /PORT, HOST:PORT or \[IPV6\]:PORT/],
      ["tree --depth deep", /It is a whole number/],
      ["tree --guest x --host", /cannot be used with/],
      ["cat", /missing required argument 'path'/],
      ["write /sys/x", /missing required argument 'text'/],
      ["bind x", /missing required argument 'driver'/],
      ["host --log-level loud --json", /Allowed choices are silent/],
      ["guest --connect localhost:1", /are given together/],
      ["guest --directory x", /are given together/],
      ["guest --connect 1 --credential-file c --directory d --state s", /give one of them/],
    ];
    const checks = wrong.map(async ([words, message]) => {
      const { status, out, err } = await place.run(words.split(" "));
      assert.equal(status, 2, `${words}: ${err}`);
      assert.equal(out, "");
      assert.match(err, message);
      assert.match(err, /^parhelion: /);
      assert.ok(!/\n {4}at /.test(err), "no stack");
    });
    await Promise.all(checks);
  }));

test("without a command the help goes to standard error, with 2", () =>
  inWorkplace(async (place) => {
    const { status, out, err } = await place.run([]);
    assert.deepEqual({ status, out }, { status: 2, out: "" });
    assert.match(err, /^Usage: parhelion/);
  }));

test("a failure under --json is an object on standard output with code, message and remedy", () =>
  inWorkplace(async (place) => {
    for (const words of ["ls", "guest", "guest create", "guest remove 0"]) {
      const json = await place.run([...words.split(" "), "--json"]);
      assert.equal(json.status, 1);
      assert.equal(json.err, "");
      const { error } = JSON.parse(json.out);
      assert.deepEqual(Object.keys(error), ["code", "message", "remedy"]);
      assert.equal(error.code, "no-host");
    }
    const { status, out, err } = await place.run(["ls"]);
    assert.deepEqual({ status, out }, { status: 1, out: "" });
    assert.match(err, /^parhelion: no host answers in .*\n {2}start one with `parhelion host`/);
  }));

test("output that a full disk does not take ends with 1 and one message", () => {
  const full = openSync("/dev/full", "w");
  try {
    const run = (stdio: readonly (number | "ignore" | "pipe")[]) =>
      spawnSync(process.execPath, [bin, "--help"], { encoding: "utf8", stdio: [...stdio] });
    const { status, stderr } = run(["ignore", full, "pipe"]);
    assert.equal(status, 1);
    assert.match(stderr, /^parhelion: standard output: ENOSPC.*\n {2}what was written is not complete\n$/);
    assert.equal(run(["ignore", "pipe", full]).status, 0, "messages are another matter");
    assert.equal(run(["ignore", full, full]).status, 1);
  } finally {
    closeSync(full);
  }
});

test("before a build the command says what to run", () => {
  const directory = mkdtempSync(join(tmpdir(), "phc-"));
  try {
    mkdirSync(join(directory, "bin"));
    cpSync(bin, join(directory, "bin", "parhelion.js"));
    cpSync(join(dirname(bin), "../package.json"), join(directory, "package.json"));
    const result = spawnSync(process.execPath, [join(directory, "bin", "parhelion.js"), "--help"], {
      encoding: "utf8",
    });
    assert.equal(result.status, 1);
    assert.match(result.stderr, /npm run build/);
    assert.ok(!result.stderr.includes("    at "), "no stack");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("an address is a port, a host and a port, or nothing", () => {
  assert.deepEqual(parseAddress("7070"), { port: 7070 });
  assert.deepEqual(parseAddress("example.org:1"), { host: "example.org", port: 1 });
  assert.deepEqual(parseAddress("[::1]:65535"), { host: "::1", port: 65535 });
  for (const wrong of ["", "x", ":1", "::1:5", "a:b", "1:65536", "[::1]", "a b:1", "-1"])
    assert.equal(parseAddress(wrong), undefined, wrong);
});
