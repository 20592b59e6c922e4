import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../bin/parhelion-explore.mjs", import.meta.url));
const folder = await mkdtemp(join(fileURLToPath(new URL(".", import.meta.url)), "command-"));

const file = `
const counter = (name, add) => ({
  name,
  setup(world) {
    const count = world.atomic("count", 0);
    for (const task of ["a", "b"]) world.task(task, () => add(count));
    return count;
  },
  async after(count, world) { world.expect(count.peek() === 2, "two increments make " + count.peek()); },
});
export default [
  counter("whole", (count) => count.update((n) => n + 1)),
  counter("halves", async (count) => count.store((await count.load()) + 1)),
];
export const options = { maxSteps: 100 };
`;

before(async () => {
  await writeFile(join(folder, "programs.mjs"), file);
  await writeFile(join(folder, "none.mjs"), "export default { name: 'no set-up' };");
});

after(() => rm(folder, { recursive: true }));

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [command, ...args],
      { cwd: folder, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

test("a safe program says so in one line and exits with 0", async () => {
  assert.deepEqual(await run("programs.mjs", "--program", "whole"), {
    code: 0,
    stdout: "whole: safe (2 runs; that is every trace)\n",
    stderr: "",
  });
});

test("an unsafe one is shown step by step, exits with 1, and can be replayed from what is printed", async () => {
  const { code, stdout, stderr } = await run("programs.mjs", "--html", "page.html");
  assert.deepEqual([code, stderr], [1, ""]);
  assert.match(stdout, /^whole: safe .*\nhalves: expectation in step 6\n {2}two increments make 1\n/);
  assert.match(await readFile(join(folder, "page.html"), "utf8"), /two increments make 1/);
  const [, schedule = ""] = /^Schedule: (\w+)$/m.exec(stdout) ?? [];
  const again = await run("programs.mjs", "--program", "halves", "--replay", schedule);
  assert.equal(again.code, 1);
  assert.ok(stdout.includes(again.stdout));
});

test("an undecided one exits with 3 and says why", async () => {
  const capped = await run("programs.mjs", "--program", "whole", "--max-runs", "1");
  assert.deepEqual([capped.code, capped.stdout], [3, "whole: unknown (1 run; not every trace)\n"]);
  const bounded = await run("programs.mjs", "--program", "whole", "--preemptions", "0");
  assert.equal(bounded.code, 3);
  assert.match(bounded.stdout, /within the bound, and there are more\)\n {2}\d+ with at most 0 preemptions/);
  const cut = await run("programs.mjs", "--program", "whole", "--max-steps", "1");
  assert.equal(cut.code, 3);
  assert.match(cut.stdout, /too long/);
});

test("as JSON it is all there", async () => {
  const { stdout } = await run("programs.mjs", "--json", "--go-on", "--random", "50", "--seed", "4");
  const results = JSON.parse(stdout) as { program: string; verdict: string; runs: number }[];
  assert.deepEqual(
    results.map(({ program, verdict, runs }) => [program, verdict, runs]),
    [
      ["whole", "unknown", 50],
      ["halves", "unsafe", 50],
    ],
  );
});

test("wrong usage exits with 2 and one line that says what to do", async () => {
  const wrong: readonly (readonly [RegExp, ...string[]])[] = [
    [/give one FILE/],
    [/--method best: there are optimal, source/, "programs.mjs", "--method", "best"],
    [/--method and --random: choose one/, "programs.mjs", "--method", "every", "--random", "3"],
    [/--max-runs -1|max-runs/, "programs.mjs", "--max-runs=-1"],
    [/--ignore races: there are expectation/, "programs.mjs", "--ignore", "races"],
    [/has no program third: it has whole, halves/, "programs.mjs", "--program", "third"],
    [/name one --program of whole, halves/, "programs.mjs", "--replay", "a"],
    [/this is no schedule of whole/, "programs.mjs", "--program", "whole", "--replay", "z"],
    [/export default a program/, "none.mjs"],
    [/Cannot find module/, "missing.mjs"],
    [/--colour/, "programs.mjs", "--colour"],
  ];
  for (const [message, ...args] of wrong) {
    const { code, stdout, stderr } = await run(...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, message);
    assert.ok(stderr.startsWith("parhelion-explore: "));
  }
});

test("--help exits with 0 and names every kind of failure", async () => {
  const { code, stdout } = await run("--help");
  assert.equal(code, 0);
  assert.match(stdout, /^Usage: [\s\S]*lost-wakeup/);
});
