/** What the scripts with QEMU have in common: programs in a directory of their own, what they say, a limit, and nothing left. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const parhelion = fileURLToPath(new URL("../../parhelion/bin/parhelion.js", import.meta.url));

export class Place {
  directory = mkdtempSync(join(tmpdir(), "vfio-user-qemu-"));
  /** All that was said, and what was found wrong. */
  text = "";
  wrong = 0;
  #children = new Set();
  #started = performance.now();
  #limit;

  /** @param limitMs of everything */
  constructor(limitMs) {
    this.#limit = setTimeout(() => this.giveUp(`it took more than ${limitMs / 1000} s`), limitMs);
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, (name) => this.giveUp(name));
    process.once("uncaughtException", (error) => this.giveUp(error.stack));
  }

  path(name) {
    return join(this.directory, name);
  }

  /** @returns the child, with `said` (what it has printed) and `over` (resolves when it has ended) */
  run(program, args, env = process.env) {
    if (program.includes("/") && !existsSync(program)) this.giveUp(`there is no ${program}`);
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env });
    child.said = "";
    child.over = new Promise((done) => child.once("close", done));
    child.over.then(() => this.#children.delete(child));
    child.once("error", (error) => this.giveUp(`${program}: ${error.message}`));
    child.stdin.on("error", () => undefined);
    this.#children.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk) => {
        this.text += chunk;
        child.said += chunk;
        process.stdout.write(chunk);
      });
    }
    return child;
  }

  /** Waits until what a child has said since `from` matches. @returns the match */
  async until(child, pattern, { from = 0, seconds = 240 } = {}) {
    const deadline = performance.now() + seconds * 1000;
    for (;;) {
      const match = child.said.slice(from).match(pattern);
      if (match !== null) return match;
      if (performance.now() > deadline) this.giveUp(`${pattern} was not said within ${seconds} s`);
      if (!this.#children.has(child)) this.giveUp(`${pattern} was not said before the program ended`);
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  check(what, holds) {
    if (!holds) this.wrong += 1;
    console.log(`${holds ? "ok" : "NOT OK"}: ${what}`);
  }

  giveUp(why) {
    console.log(`NOT OK: ${why}`);
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
    process.exit(1);
  }

  /** Ends what still runs, and says how long it took. */
  async close() {
    for (const child of this.#children) child.kill("SIGTERM");
    await Promise.all([...this.#children].map((child) => child.over));
    clearTimeout(this.#limit);
    rmSync(this.directory, { recursive: true });
    console.log(`${((performance.now() - this.#started) / 1000).toFixed(0)} s`);
    process.exitCode = this.wrong === 0 ? 0 : 1;
  }
}

/** A virtual machine whose console takes lines for its shell. */
export class Machine {
  #place;
  qemu;
  #monitor;
  #at = 0;

  /** @param args of QEMU, besides kernel, console and monitor */
  constructor(place, { qemu, firmware, kernel, initramfs, append = "", accel = "tcg", args }) {
    this.#place = place;
    this.#monitor = place.path("monitor");
    this.qemu = place.run("nice", [
      ...["-n", "10", qemu],
      ...(firmware === undefined ? [] : ["-L", firmware]),
      ...["-nodefaults", "-display", "none", "-serial", "stdio"],
      ...["-qmp", `unix:${this.#monitor},server=on,wait=off`],
      ...["-kernel", kernel, "-initrd", initramfs, "-append", `console=ttyS0 quiet panic=-1 ${append}`],
      ...args(accel),
    ]);
  }

  /** Waits for the guest to have booted. */
  async ready() {
    const [, version] = await this.says(/GUEST: ready, Linux (\S+)\s/);
    return version;
  }

  /** Waits for something that was not said yet when the last one was. */
  async says(pattern, seconds) {
    const match = await this.#place.until(this.qemu, pattern, { from: this.#at, seconds });
    this.#at += match.index + match[0].length;
    return match;
  }

  begin(line) {
    this.qemu.stdin.write(`${line}\n`);
  }

  /** Has the guest's shell do this. @returns its exit status */
  async do(line, seconds) {
    this.begin(line);
    const [, status] = await this.says(/GUEST: ended (\d+)\s/, seconds);
    return Number(status);
  }

  /** Asks QEMU itself. */
  ask(execute, args = {}) {
    return new Promise((done, failed) => {
      const socket = connect(this.#monitor);
      let text = "";
      socket.on("error", failed);
      socket.on("data", (bytes) => {
        text += bytes;
        const answers = text.split("\n").filter((line) => /^\{"(return|error)"/.test(line));
        if (answers.length < 2) return;
        socket.destroy();
        done(JSON.parse(answers[1]));
      });
      socket.write(
        `{"execute":"qmp_capabilities"}{"execute":"${execute}","arguments":${JSON.stringify(args)}}\n`,
      );
    });
  }
}

/** What a guest's /init says and does when everything is there: whatever its console's other end tells it. */
export const obey = `
stty -F /dev/ttyS0 -echo
echo "GUEST: ready, Linux $(uname -r)"
while read -r line; do eval "$line"; echo "GUEST: ended $?"; done < /dev/ttyS0
poweroff -f
`;
