import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { holder, inWorkplace, nodeWords, type Workplace } from "../command.test.fixture.js";
import { strongestIsolation } from "../run/isolation.js";

const software = ["--adapter", "software"];
const strongest = strongestIsolation().level;

/** Says which carrier its device has, or why it has none. */
const carrier = `
  const { gpu, queueCarrier } = await import(process.argv[1]);
  const adapter = await gpu.requestAdapter();
  await adapter.requestDevice().then(() => console.log(queueCarrier().kind), (error) => console.log(error.message));`;

/** A PATH on which only these programs of the machine's are found. */
function pathOf(place: Workplace, names: readonly string[]): string {
  const directory = join(place.directory, "bin");
  mkdirSync(directory);
  for (const name of names) symlinkSync(`/usr/bin/${name}`, join(directory, name));
  return directory;
}

test("a command without a host gets a private one that ends with it; its output, input and status are its own", () =>
  inWorkplace(async (place) => {
    const source = `
      const adapter = await navigator.gpu.requestAdapter();
      await adapter.requestDevice();
      for await (const text of process.stdin) process.stdout.write(text.toString().toUpperCase());
      console.error("note");
      process.exit(7);`;
    const { status, out, err } = await place.run(["run", ...software, "--", ...nodeWords(source)], {
      input: "through and through\n",
    });
    assert.deepEqual({ status, out, err }, { status: 7, out: "THROUGH AND THROUGH\n", err: "note\n" });
  }));

test("statuses are a shell's, at every level of isolation", () =>
  inWorkplace(async (place) => {
    await place.host();
    const levels = strongest === "none" ? [""] : ["", "--isolate", "--isolate=namespaces"];
    const cases: readonly (readonly [string[], number])[] = [
      [["true"], 0],
      [["sh", "-c", "exit 3"], 3],
      [["sh", "-c", "kill -9 $$"], 137],
      [["sh", "-c", "kill -TERM $$"], 143],
      [["no-such-command"], 127],
    ];
    for (const level of levels) {
      // A sandbox passes on a status, a death, and that there is no such command; the others take the same ways.
      const chosen = level === "" ? cases : cases.slice(1, 3).concat(cases.slice(-1));
      const checks = chosen.map(async ([command, expected]) => {
        const { status, err } = await place.run(["run", ...(level === "" ? [] : [level]), "--", ...command]);
        assert.equal(status, expected, `${level} ${command.join(" ")}: ${err}`);
        if (expected === 127) assert.match(err, /no-such-command: (command )?not found/);
      });
      await Promise.all(checks);
    }
    const text = place.file("text", "");
    assert.equal((await place.run(["run", "--", text])).status, 126);
    assert.deepEqual((await place.status()).guests, []);
  }));

test("isolation that is not possible is refused, and a weaker one is said", () =>
  inWorkplace(async (place) => {
    await place.host();
    const environment = {
      PATH: pathOf(place, ["sh", "true", "unshare", "mount", "mktemp", "mkdir", "ln", "rmdir"]),
    };
    const refused = await place.run(["run", "--isolate=bubblewrap", "--", "true"], { environment });
    assert.equal(refused.status, 1);
    assert.match(refused.err, /--isolate=bubblewrap is not possible here/);
    assert.match(refused.err, /apt-get install bubblewrap/);
    const weaker = await place.run(["run", "--isolate", "--", "true"], { environment });
    assert.equal(weaker.status, 0, weaker.err);
    assert.match(weaker.err, /^parhelion: (isolated by namespaces only|not isolated): .*bubblewrap/);
    const missing = await place.run(["run", "--isolate", "--visible", "/no/such", "--", "true"]);
    assert.equal(missing.status, 1);
    assert.match(missing.err, /--visible \/no\/such: there is no \/no\/such/);
  }));

test("an isolated program has a GPU, and nothing in its environment that leads outside", (t) => {
  if (strongest !== "bubblewrap") return t.skip("bubblewrap is missing or not permitted here");
  return inWorkplace(async (place) => {
    const source = `
      const adapter = await navigator.gpu.requestAdapter();
      await adapter.requestDevice();
      console.log(JSON.stringify(process.env));
      process.exit();`;
    const useless = {
      NODE_EXTRA_CA_CERTS: "/no/such",
      HTTPS_PROXY: "http://127.0.0.1:1",
      no_proxy: "x",
      SSH_AUTH_SOCK: "/no/such",
      XDG_RUNTIME_DIR: "/no/such",
    };
    const { status, out, err } = await place.run(
      ["run", "--isolate=bubblewrap", ...software, "--", ...nodeWords(source)],
      { environment: { ...useless, KEPT: "1" } },
    );
    assert.equal(status, 0, err);
    assert.equal(err.replaceAll(/Warning: Ignoring extra certs.*\n/g, ""), "");
    const seen = JSON.parse(out) as Record<string, string>;
    for (const name of [...Object.keys(useless), "PARHELION_STATE", "TMPDIR"])
      assert.equal(seen[name], undefined, name);
    assert.equal(seen["KEPT"], "1");
    assert.equal(seen["HOME"], "/tmp");
  });
});

test("an isolated program does not reach its host, also where the working directory holds the host's sockets", (t) => {
  if (strongest !== "bubblewrap") return t.skip("bubblewrap is missing or not permitted here");
  return inWorkplace(async (place) => {
    await place.host();
    place.file("beside", "");
    const { status, out, err } = await place.run([
      "run",
      "--isolate=bubblewrap",
      "--",
      "sh",
      "-c",
      "ls; ls s; ls $PARHELION_DIR",
    ]);
    assert.equal(status, 0, err);
    assert.deepEqual(out.split("\n"), ["beside", "s", "t", "g", "attributes.json", "dxg", "dxg0", ""]);
  });
});

test("--carrier chooses, and shared memory is required where it is asked for", () =>
  inWorkplace(async (place) => {
    await place.host();
    const client = import.meta.resolve("parhelion-client");
    const seen = async (words: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
      (await place.run(["run", ...words, "--", ...nodeWords(carrier), client], { environment })).out.trim();
    assert.equal(await seen([]), "shared-memory");
    assert.equal(await seen(["--carrier", "stream"]), "stream");
    assert.equal(await seen(["--carrier", "shared-memory"]), "shared-memory");
    // As where the optional dependency is not installed.
    const hidden = place.file(
      "no-koffi.mjs",
      `import { register } from "node:module";
       register("data:text/javascript," + encodeURIComponent(\`export async function resolve(name, context, next) {
         if (name === "koffi") throw new Error("koffi is not here");
         return next(name, context);
       }\`));`,
    );
    const environment = { NODE_OPTIONS: `--import=${hidden}` };
    assert.equal(await seen([], environment), "stream");
    assert.match(
      await seen(["--carrier", "shared-memory"], environment),
      /asks for shared memory, and that is impossible here: koffi does not load \(.*koffi is not here/,
    );
  }));

test("a signal reaches the command, which decides", () =>
  inWorkplace(async (place) => {
    await place.host();
    const source = `
      process.on("SIGINT", () => { console.log("interrupted"); process.exit(9); });
      console.log("ready");
      setTimeout(() => {}, 600_000);`;
    const levels = strongest === "none" ? [[]] : [[], ["--isolate"], ["--isolate=namespaces"]];
    for (const level of levels) {
      const polite = place.start(["run", ...level, "--", ...nodeWords(source)]);
      const plain = place.start(["run", ...level, "--", ...nodeWords(holder)]);
      await polite.says("ready");
      await plain.says("device");
      polite.kill("SIGINT");
      plain.kill("SIGTERM");
      const answer = await polite.ended;
      assert.deepEqual([answer.status, answer.out], [9, "ready\ninterrupted\n"], answer.err);
      assert.equal((await plain.ended).status, 143, level.join());
    }
  }));

test("Ctrl-C at a terminal reaches the command once", () =>
  inWorkplace(async (place) => {
    await place.host();
    const source = `
      let count = 0;
      process.on("SIGINT", () => { if (++count === 1) setTimeout(() => { console.log("interrupts " + count); process.exit(9); }, 300); });
      console.log("ready");
      setTimeout(() => {}, 600_000);`;
    const program = place.file("count.mjs", source);
    const bin = new URL("../../bin/parhelion.js", import.meta.url).pathname;
    // `exec`: a shell that stays in the foreground gets the Ctrl-C as well, and dash then answers 130 whatever the command said.
    const line = ["exec", process.execPath, bin, "run", "--", process.execPath, program].join(" ");
    const typist = place.file(
      "typist.mjs",
      `import { spawn } from "node:child_process";
       const child = spawn("script", ["-qec", ${JSON.stringify(line)}, "/dev/null"], { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, SHELL: "/bin/sh" } });
       child.stdout.on("data", (text) => { process.stdout.write(text); if (String(text).includes("ready")) child.stdin.write("\\x03"); });
       child.on("close", (code) => process.exit(code));`,
    );
    const { status, out, err } = await place.program(process.execPath, [typist]).ended;
    assert.equal(status, 9, `${out}${err}`);
    assert.match(out, /interrupts 1\r?\n/);
  }));

test("when the host dies the command sees its device lost, and run ends with the command's status", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const run = place.start(["run", "--", ...nodeWords(holder)]);
    await run.says("device");
    host.kill("SIGKILL");
    const { status, out, err } = await run.ended;
    assert.equal(status, 4, err);
    assert.match(out, /lost unknown/);
    assert.match(
      err,
      /^parhelion: the host has gone, and with it the GPU \(.*\); waiting for it to come back\n$/,
    );
  }));

test("two commands at once have a guest each of one host", () =>
  inWorkplace(async (place) => {
    await place.host();
    const runs = ["one", "two"].map((name) =>
      place.start(["run", "--name", name, "--", ...nodeWords(holder)]),
    );
    for (const run of runs) await run.says("device");
    const status = await place.status();
    assert.deepEqual(status.guests.map(({ name }) => name).sort(), ["one", "two"]);
    for (const { processes } of status.guests)
      assert.deepEqual(
        processes.map(({ devices }) => devices),
        [1],
      );
    for (const run of runs) run.kill("SIGTERM");
    for (const run of runs) assert.equal((await run.ended).status, 143);
  }));

test("a running host that has not the wished adapter is named", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const { status, err } = await place.run(["run", "--adapter", "hardware", "--", "true"]);
    assert.equal(status, 1);
    assert.ok(err.includes(`the host with pid ${host.pid}`), err);
    assert.match(err, /SwiftShader.*\(software\), not "hardware"/);
    assert.equal((await place.run(["run", "--adapter", "swiftshader", "--", "true"])).status, 0);
  }));

test("the program's own NODE_OPTIONS stay", () =>
  inWorkplace(async (place) => {
    const { out } = await place.run(["run", ...software, "--", "printenv", "NODE_OPTIONS"], {
      environment: { NODE_OPTIONS: "--no-warnings" },
    });
    assert.match(out, /^--no-warnings --import=file:.*register\.js\n$/);
    assert.ok(readFileSync(new URL(out.trim().split("--import=")[1] ?? ""), "utf8").length > 0);
  }));
