// `npm test`: sets everything up, checks the source, runs every test. `npm test -- PART…` runs only the test files whose
// path contains one of the parts, without the source checks.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { mustRun, root, setUp } from "./setup.mjs";

function* files(directory, ending) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* files(path, ending);
    else if (entry.name.endsWith(ending)) yield relative(root, path);
  }
}

/** A test in `dist` whose source is gone is not a test any more. */
function hasSource(path, sources) {
  return sources.has(path.replace("/dist/", "/src/").replace(/\.js$/, ".ts"));
}

function testFiles() {
  const sources = new Set(files(join(root, "packages"), ".test.ts"));
  const compiled = [...files(join(root, "packages"), ".test.js")].filter(
    (path) => path.includes("/dist/") && hasSource(path, sources),
  );
  return [
    ...compiled,
    ...files(join(root, "examples"), ".test.mjs"),
    ...files(join(root, "scripts"), ".test.mjs"),
    ...files(join(root, "fuzz"), ".test.mjs"),
  ].sort();
}

const parts = process.argv.slice(2);
setUp();
if (parts.length === 0) {
  const node = process.execPath;
  const module = (...path) => join(root, "node_modules", ...path);
  console.error("checking the source …");
  mustRun(
    "Format and lint (npm run format mends most of it)",
    node,
    [module("@biomejs", "biome", "bin", "biome"), "check", "."],
    { quiet: true },
  );
  mustRun("Type-aware lint", node, [module("eslint", "bin", "eslint.js"), "."], { quiet: true });
  mustRun(
    "Dependency arrows",
    node,
    [
      module("dependency-cruiser", "bin", "dependency-cruise.mjs"),
      "packages",
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "err",
    ],
    { quiet: true },
  );
}
const selected = testFiles().filter(
  (path) => parts.length === 0 || parts.some((part) => path.includes(part)),
);
if (selected.length === 0) {
  console.error(`No test file matches ${parts.join(" or ")}.`);
  process.exit(1);
}
const result = spawnSync(
  process.execPath,
  ["--test", "--test-concurrency=2", "--test-timeout=600000", "--test-reporter=spec", ...selected],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  },
);
process.exit(result.status ?? 1);
