import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type IsolationLevel, isolatedCommand, isolationOf, strongestIsolation } from "./isolation.js";

const LOOK = `
const fs = require("node:fs");
const net = Object.keys(require("node:os").networkInterfaces());
console.log(JSON.stringify({
  devices: fs.readdirSync("/dev"),
  net,
  secret: fs.existsSync(process.argv[1]),
  processes: fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name)).length,
  cwd: process.cwd(),
}));`;

function works(level: IsolationLevel): boolean {
  const visible = { runDirectory: "/tmp", readOnly: [], writable: [], workingDirectory: "/" };
  const [command = "", ...args] = isolatedCommand(level, visible, ["true"]);
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

function look(level: IsolationLevel): {
  devices: string[];
  net: string[];
  secret: boolean;
  processes: number;
  cwd: string;
} {
  const outside = mkdtempSync(join(tmpdir(), "outside-"));
  const run = mkdtempSync(join(tmpdir(), "run-"));
  try {
    const secret = join(outside, "secret");
    writeFileSync(secret, "not for guests");
    const visible = { runDirectory: run, readOnly: [], writable: [], workingDirectory: run };
    const [command = "", ...args] = isolatedCommand(level, visible, [process.execPath, "-e", LOOK, secret]);
    const result = spawnSync(command, args, { encoding: "utf8" });
    assert.equal(result.status, 0, result.stderr);
    const seen = JSON.parse(result.stdout) as ReturnType<typeof look>;
    assert.equal(seen.cwd, run);
    return seen;
  } finally {
    rmSync(outside, { recursive: true });
    rmSync(run, { recursive: true });
  }
}

test("inside bubblewrap there is no network, no host device, no foreign file, no host process", (t) => {
  if (!works("bubblewrap")) return t.skip("bubblewrap is missing or not permitted here");
  const seen = look("bubblewrap");
  assert.deepEqual(
    seen.net.filter((name) => name !== "lo"),
    [],
  );
  for (const device of ["fuse", "kvm", "dri", "nvidia0", "loop0"]) assert.ok(!seen.devices.includes(device));
  assert.equal(seen.secret, false);
  assert.ok(seen.processes <= 3);
});

test("inside namespaces there is no network, no host device, no host process, and files are said to be visible", (t) => {
  if (!works("namespaces")) return t.skip("unshare is missing or not permitted here");
  const seen = look("namespaces");
  assert.deepEqual(
    seen.net.filter((name) => name !== "lo"),
    [],
  );
  for (const device of ["fuse", "kvm", "dri", "nvidia0", "loop0"]) assert.ok(!seen.devices.includes(device));
  assert.ok(seen.processes <= 3);
  assert.equal(seen.secret, true);
  assert.match(isolationOf("namespaces").weaker.join(), /files stay visible/);
});

test("the strongest level is one that works, and every weaker one says what is missing", () => {
  const strongest = strongestIsolation();
  assert.ok(strongest.level === "none" || works(strongest.level));
  assert.deepEqual(isolationOf("bubblewrap").weaker, []);
  for (const level of ["namespaces", "none"] as const) assert.notEqual(isolationOf(level).weaker.length, 0);
});
