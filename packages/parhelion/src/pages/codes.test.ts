import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { cssRecords } from "parhelion-buses";
import { ccwRecords } from "parhelion-ccw";
import { applicationErrors } from "parhelion-client";
import { hostEvents } from "parhelion-host";

const packages = fileURLToPath(new URL("../../../", import.meta.url));

/** What ships: every source file but tests, what they use, and what is generated. */
function* sources(directory: string): Generator<{ readonly path: string; readonly text: string }> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (!["generated", "proofs", "node_modules"].includes(entry.name)) yield* sources(path);
    } else if (entry.name.endsWith(".ts") && !entry.name.includes(".test.")) {
      yield { path: relative(packages, path), text: readFileSync(path, "utf8") };
    }
  }
}

/** Each first group of `pattern` in the sources of a package, with its file. */
function* found(name: string, pattern: RegExp): Generator<readonly [word: string, where: string]> {
  for (const { path, text } of sources(join(packages, name, "src")))
    for (const [, word = ""] of text.matchAll(pattern)) yield [word, path];
}

// That a code is listed is the compiler's business: each error's code has the type that its list is the source of. These are the names
// that no type can see.

test("every exception that an application can be thrown is explained", () => {
  const used = [
    ...found("client", /new DOMException\((?:[^()]|\([^()]*\))*?"([A-Za-z]+Error)"/g),
    ...found("client", /new DeviceRefusedError\("([A-Za-z]+Error)"/g),
    ...found("client", /class (GPU[A-Za-z]+Error) /g),
  ];
  assert.ok(used.length > 8, "the patterns find what there is");
  for (const [name, path] of used)
    assert.ok(
      Object.hasOwn(applicationErrors, name),
      `${path}: ${name} is missing in client/src/error-codes.ts`,
    );
});

test("everything that a host logs at info or above is an event, at the event's level", () => {
  const levels = new Map<string, string>();
  for (const { path, text } of sources(join(packages, "host", "src"))) {
    for (const [, level = "", name = ""] of text.matchAll(
      /\.(?:log|tell)\(\s*"(info|warn|error)",\s*"([a-z.-]+)"/g,
    )) {
      assert.ok(Object.hasOwn(hostEvents, name), `${path}: ${name} is missing in observe/event-list.ts`);
      assert.equal(hostEvents[name as keyof typeof hostEvents].level, level, `${path}: ${name}`);
      levels.set(name, level);
    }
    for (const [, name = ""] of text.matchAll(/\.warn\(\s*"([a-z.-]+)"/g)) {
      assert.ok(Object.hasOwn(hostEvents, name), `${path}: ${name} is missing in observe/event-list.ts`);
      levels.set(name, "warn");
    }
    for (const [, name = ""] of text.matchAll(/(?:\btell\(\s*[\w.#]+,|#tell\()\s*"([a-z.-]+)"/g))
      levels.set(name, "listed");
  }
  const unused = Object.keys(hostEvents).filter((name) => !levels.has(name));
  assert.deepEqual(unused, [], "nobody tells these events");
});

test("everything that channel I/O logs is listed, at its level", () => {
  const listed = new Map(
    Object.entries({ ...ccwRecords, ...cssRecords }).map(([name, { level }]) => [name, level]),
  );
  const logged = new Map<string, string>();
  const roots = [join(packages, "ccw", "src"), join(packages, "buses", "src", "css")];
  for (const { text } of roots.flatMap((root) => [...sources(root)]))
    for (const [, level = "", name = ""] of text.matchAll(
      /\.log\(\s*"(debug|info|warn|error)",\s*"([a-z.-]+)"/g,
    ))
      logged.set(name, level);
  const sorted = (records: ReadonlyMap<string, string>) => [...records].sort();
  assert.deepEqual(sorted(logged), sorted(listed));
});

test("every error that a package shows to others has a code", () => {
  // What they stand for has: the refusal that the host sent, the adapter's loss.
  const others = new Set(["DeviceRefusedError", "AdapterGoneError"]);
  let seen = 0;
  for (const name of ["buses", "ccw", "client", "core", "engine", "guest", "host", "parhelion", "protocol"]) {
    const root = join(packages, name, "src");
    const index = readFileSync(join(root, "index.ts"), "utf8");
    for (const { path, text } of sources(root)) {
      for (const match of text.matchAll(/class (\w+) extends Error\b/g)) {
        const [, error = ""] = match;
        if (others.has(error) || !new RegExp(`\\b${error}\\b`).test(index)) continue;
        const body = text.slice(match.index, text.indexOf("\n}", match.index));
        assert.match(body, /readonly code(:| =)/, `${path}: ${error} has no code`);
        seen += 1;
      }
    }
  }
  assert.ok(seen > 5, "the pattern finds what there is");
});
