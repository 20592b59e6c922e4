import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { bin, errorOf, inWorkplace } from "../command.test.fixture.js";
import { main } from "../main.js";

/** Images that Hercules made, and what its programs say of them. */
function herculesFile(name: string): Buffer {
  const bytes = readFileSync(new URL(`../../../ccw/fixtures/${name}`, import.meta.url));
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

/** A directory for images, and the command in this process: what it prints, byte for byte. */
class Desk {
  readonly directory = mkdtempSync(join(tmpdir(), "parhelion-dasd-"));

  placed(name: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, herculesFile(`${name}.gz`));
    return path;
  }

  async run(words: readonly string[], watched = false) {
    const out: Uint8Array[] = [];
    let err = "";
    const status = await main(words, {
      out: (text) => void out.push(Buffer.from(`${text}\n`)),
      err: (text) => {
        err += `${text}\n`;
      },
      outBytes: async (bytes) => void out.push(Uint8Array.from(bytes)),
      watched,
      screen: null,
      environment: {},
      workingDirectory: this.directory,
      input: () => process.stdin,
      onOutputEnd: () => undefined,
    });
    const bytes = Buffer.concat(out);
    return { status, signal: null, out: bytes.toString(), bytes, err };
  }

  async json<T>(...words: readonly string[]): Promise<T> {
    const { status, out, err } = await this.run([...words, "--json"]);
    assert.equal(status, 0, `${words.join(" ")}: ${out}${err}`);
    return JSON.parse(out) as T;
  }
}

async function atDesk(body: (desk: Desk) => Promise<void>): Promise<void> {
  const desk = new Desk();
  try {
    await body(desk);
  } finally {
    rmSync(desk.directory, { recursive: true, force: true });
  }
}

test("info tells geometry, label, format and space, and --check reads every track", () =>
  atDesk(async (place) => {
    const image = place.placed("loaded-zlib.cckd");
    const { status, out, err } = await place.run(["dasd", "info", image]);
    assert.deepEqual([status, err], [0, ""]);
    const lines = out.split("\n");
    assert.equal(lines[0], "disk     3390-1, 1113 cylinders of 15 tracks, 16695 tracks");
    assert.equal(lines[1], "volume   PHL001, owner HERCULES");
    assert.equal(lines[2], "format   compressed (CCKD), packed with zlib");
    const small = place.placed("small-3380.ckd");
    const info = await place.json<{ cylinders: number; volume: { serial: string }; bad: unknown[] }>(
      "dasd",
      "info",
      "--check",
      small,
    );
    assert.deepEqual([info.cylinders, info.volume.serial, info.bad], [1, "SMALL1", []]);
    const damaged = herculesFile("small-3380.ckd.gz");
    damaged.fill(0, 512 + 3 * 47616, 512 + 3 * 47616 + 100);
    writeFileSync(small, damaged);
    const checked = await place.run(["dasd", "info", "--check", small]);
    assert.equal(checked.status, 1);
    assert.match(checked.out, /15 tracks, 1 can't be read\n.*track 3 /);
  }));

test("ls lists datasets and members, as dasdls and dasdcat do", () =>
  atDesk(async (place) => {
    const image = place.placed("loaded.ckd");
    const told = herculesFile("dasdls.txt").toString().trim().split("\n").slice(1);
    const { datasets } = await place.json<{ datasets: { name: string; tracks: number }[] }>(
      "dasd",
      "ls",
      image,
    );
    assert.deepEqual(
      datasets.map(({ name }) => name),
      told.map((line) => line.split(/\s/)[0]),
    );
    const table = await place.run(["dasd", "ls", image]);
    assert.match(table.out, /^PARHEL\.TEST\.WIDE {3}PS {3}FB {6}133 {5}1330 {3}0 {4}8 {7}1 {8}2026-/m);
    const members = await place.run(["dasd", "ls", image, "parhel.test.lib"]);
    assert.equal(members.out, "HELLO\nLONG\nMIXED\nTWIN  alias\n");
  }));

test("cat prints text as dasdcat and dasdseq do, bytes as they are, and records as JSON", () =>
  atDesk(async (place) => {
    const image = place.placed("loaded-bzip2.cckd");
    const member = await place.run(["dasd", "cat", image, "PARHEL.TEST.LIB(LONG)"]);
    assert.equal(member.out, herculesFile("dasdcat-long.txt.gz").toString());
    const whole = await place.run(["dasd", "cat", image, "PARHEL.TEST.WIDE"]);
    assert.equal(whole.out, herculesFile("dasdseq-WIDE.txt.gz").toString());
    const bytes = await place.run(["dasd", "cat", "--binary", image, "PARHEL.TEST.CARDS"]);
    assert.equal(bytes.bytes.length, 300 * 80);
    assert.deepEqual([...bytes.bytes.subarray(0, 9)], [0xc3, 0xc1, 0xd9, 0xc4, 0x40, 0xf0, 0xf0, 0xf0, 0xf0]);
    const { records } = await place.json<{ records: string[] }>(
      "dasd",
      "cat",
      image,
      "PARHEL.TEST.LIB(HELLO)",
    );
    assert.deepEqual(`${records.join("\n")}\n`, herculesFile("dasdcat-hello.txt").toString());
  }));

test("records as JSON are one object also where a track can't be read in the middle", () =>
  atDesk(async (place) => {
    const image = place.placed("loaded.ckd");
    const words = ["dasd", "cat", image, "PARHEL.TEST.WIDE", "--json"];
    const whole = JSON.parse((await place.run(words)).out) as { records: string[] };
    const bytes = readFileSync(image);
    // Its second track.
    bytes.fill(0xee, 512 + 33 * 56832, 512 + 33 * 56832 + 100);
    writeFileSync(image, bytes);
    const { status, out, err } = await place.run(words);
    const partly = JSON.parse(out) as { records: string[]; error: { code: string; remedy: string } };
    assert.deepEqual([status, err, partly.error.code], [1, "", "image-track"]);
    assert.ok(partly.records.length > 0 && partly.records.length < whole.records.length);
    assert.deepEqual(partly.records, whole.records.slice(0, partly.records.length));
    assert.deepEqual(await place.json("dasd", "cat", image, "PARHEL.TEST.EMPTY"), {
      dataset: "PARHEL.TEST.EMPTY",
      member: null,
      records: [],
    });
  }));

test("a name is one in the directory where the command was given", () =>
  atDesk(async (place) => {
    place.placed("loaded.ckd");
    for (const words of [["info"], ["ls"]]) {
      const { status, err } = await place.run(["dasd", ...words, "loaded.ckd"]);
      assert.deepEqual([status, err], [0, ""]);
    }
    const { out } = await place.run(["dasd", "cat", "loaded.ckd", "PARHEL.TEST.LIB(HELLO)"]);
    assert.equal(out, herculesFile("dasdcat-hello.txt").toString());
  }));

test("what is no image is refused by every command, whatever it is", () =>
  atDesk(async (place) => {
    mkdirSync(join(place.directory, "folder"));
    symlinkSync("loop", join(place.directory, "loop"));
    for (const name of ["folder", "", "/dev/null", "none/such", "loop", "x".repeat(5000)])
      for (const words of [
        ["info", name],
        ["ls", name],
        ["cat", name, "A.B"],
        ["attach", name, "--socket", "s"],
      ]) {
        const error = errorOf(await place.run(["dasd", ...words, "--json"]));
        assert.equal(error.code, "image-missing", words.join(" "));
        assert.notEqual(error.remedy, "");
      }
    for (const words of [["info"], ["cat", "x"], ["ls", "x", "y", "z"], ["info", "x", "--nope"], ["frob"]])
      assert.equal((await place.run(["dasd", ...words])).status, 2, words.join(" "));
  }));

test("an error shows what a terminal would obey in a name, and does not send it", () =>
  atDesk(async (place) => {
    const { err } = await place.run(["dasd", "info", "red\x1b[31m"]);
    assert.ok(!err.includes("\x1b") && err.includes("red\\x1b[31m: it can't be opened"), err);
  }));

test("where people watch, long work says how far it is, on standard error", () =>
  atDesk(async (place) => {
    const { out, err } = await place.run(["dasd", "info", "--check", place.placed("loaded.ckd")], true);
    assert.match(out, /0 can't be read/);
    assert.match(err, /^checking tracks: 0 % of 60\n(.*\n)*checking tracks: 100 % of 60\n$/);
    const unseen = await place.run(["dasd", "info", "--check", place.placed("loaded.ckd")]);
    assert.equal(unseen.err, "");
  }));

test("what is not there or can't be read is told with a code and what to do", () =>
  atDesk(async (place) => {
    const image = place.placed("loaded.ckd");
    const failing = async (...words: readonly string[]) =>
      errorOf(await place.run(["dasd", ...words, "--json"]));
    assert.equal((await failing("info", join(place.directory, "none"))).code, "image-missing");
    assert.equal((await failing("ls", image, "NO.SUCH")).code, "image-dataset");
    assert.match((await failing("cat", image, "PARHEL.TEST.LIB")).message, /PARHEL\.TEST\.LIB\(HELLO\)/);
    assert.equal((await failing("cat", image, "PARHEL.TEST.LIB(NONE)")).code, "image-dataset");
    writeFileSync(image, "no image");
    const short = await failing("info", image);
    assert.equal(short.code, "image-truncated");
    assert.match(short.message, /at offset 8/);
    assert.notEqual(short.remedy, "");
  }));

test("attach serves an image until it is asked to end, to one writer, and leaves it as it was", () =>
  inWorkplace(async (place) => {
    const image = place.file("disk.cckd", "");
    writeFileSync(image, herculesFile("loaded-zlib.cckd.gz"));
    const socket = join(place.directory, "disk.sock");
    const attached = place.start(["dasd", "attach", image, "--socket", socket, "--json"]);
    await attached.says("\n");
    assert.deepEqual(JSON.parse(attached.out), {
      event: "listening",
      socket,
      device: "0.0.0000",
      devno: "0100",
    });
    assert.ok(existsSync(socket));
    const second = await place.run(["dasd", "attach", image, "--socket", `${socket}2`, "--json"]);
    assert.equal(errorOf(second).code, "image-locked");
    attached.kill("SIGTERM");
    assert.equal((await attached.ended).status, 0);
    assert.ok(!existsSync(socket));
    assert.ok(readFileSync(image).equals(herculesFile("loaded-zlib.cckd.gz")));
  }));

test("attach that can't say where it is leaves nothing", () =>
  inWorkplace(async (place) => {
    const image = place.file("disk.cckd", "");
    writeFileSync(image, herculesFile("loaded-zlib.cckd.gz"));
    const full = openSync("/dev/full", "w");
    try {
      const words = [bin, "dasd", "attach", "disk.cckd", "--socket", "disk.sock"];
      const { status, stderr } = spawnSync(process.execPath, words, {
        cwd: place.directory,
        encoding: "utf8",
        stdio: ["ignore", full, "pipe"],
      });
      assert.equal(status, 1);
      assert.match(stderr, /^parhelion: standard output: ENOSPC.*\n {2}what was written is not complete\n$/);
    } finally {
      closeSync(full);
    }
    assert.deepEqual(readdirSync(place.directory).sort(), ["disk.cckd", "t"]);
    assert.ok(readFileSync(image).equals(herculesFile("loaded-zlib.cckd.gz")));
  }));
