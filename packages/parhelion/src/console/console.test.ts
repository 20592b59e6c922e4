/** The real command, used from both sides: by a driver that has nothing but the vfio-user socket, and by whoever sits at the terminal. */
import assert from "node:assert/strict";
import { constants, existsSync, lstatSync, openSync, readlinkSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { ReadStream } from "node:tty";
import { errorOf, inWorkplace, until, type Workplace } from "../command.test.fixture.js";
import { ConsoleDriver } from "./channel.test.fixture.js";

interface Listening {
  readonly event: string;
  readonly socket: string;
  readonly device: string;
  readonly devno: string;
  readonly terminal: { readonly kind: string; readonly path: string; readonly link: string | null };
}

/** Somebody at the terminal. */
class Operator {
  readonly #terminal: Duplex;
  seen = "";

  constructor(terminal: Duplex) {
    this.#terminal = terminal;
    terminal.on("data", (bytes) => {
      this.seen += String(bytes);
    });
    // A terminal hangs up when its console ends.
    terminal.on("error", () => undefined);
  }

  type(text: string): void {
    this.#terminal.write(text);
  }

  sees(text: string): Promise<void> {
    return until(
      `the operator sees ${JSON.stringify(text)}`,
      () => this.seen === text,
      () => this.seen,
    );
  }

  leave(): void {
    this.#terminal.destroy();
  }
}

async function attached(place: Workplace, ...words: readonly string[]) {
  const running = place.start(["console", "attach", "--socket", "served", "--json", ...words]);
  await Promise.race([running.says("\n"), running.ended]);
  return { running, ready: JSON.parse(running.out) as Listening };
}

/** On a machine without pseudo-terminals the command says so. */
function hasPty(t: TestContext, ready: object): boolean {
  const { code } = "error" in ready ? (ready.error as { code: string }) : { code: "" };
  if (code === "no-pty") t.skip("this machine gives no pseudo-terminal");
  return code !== "no-pty";
}

test("a console's paper and keyboard are a pseudo-terminal, which a link leads to, until Ctrl-C", (t) =>
  inWorkplace(async (place) => {
    const link = join(place.directory, "console");
    // Of one that was killed.
    symlinkSync("/dev/pts/no-such-terminal", link);
    const { running, ready } = await attached(place, "--terminal", "pty:console");
    if (!hasPty(t, ready)) return;
    const { path } = ready.terminal;
    const socket = join(place.directory, "served");
    assert.deepEqual(ready, {
      event: "listening",
      socket,
      device: "0.0.0000",
      devno: "0009",
      terminal: { kind: "pty", path, link },
    });
    assert.equal(readlinkSync(link), path);
    const driver = await ConsoleDriver.connect(socket);
    await driver.write("IPL COMPLETE\n");
    const operator = new Operator(new ReadStream(openSync(link, constants.O_RDWR | constants.O_NOCTTY)));
    await operator.sees("IPL COMPLETE\r\n");
    operator.type("logno\x7f\x7fon maint\r");
    await driver.attention();
    assert.equal(await driver.read(), "logon maint");
    await driver.write("LOGMSG - WELCOME\nReady;");
    await operator.sees("IPL COMPLETE\r\nlogno\b \b\b \bon maint\r\nLOGMSG - WELCOME\r\nReady;");
    running.kill("SIGINT");
    assert.deepEqual([(await running.ended).status, running.err], [0, ""]);
    await driver.client.gone();
    assert.deepEqual([existsSync(socket), lstatSync(link, { throwIfNoEntry: false })], [false, undefined]);
    operator.leave();
  }));

test("a console's terminal is a socket, and a read waits for whoever comes", () =>
  inWorkplace(async (place) => {
    const { running, ready } = await attached(place, "--terminal", "unix:line", "--devno", "1F");
    const path = join(place.directory, "line");
    assert.deepEqual([ready.devno, ready.terminal], ["001f", { kind: "unix", path, link: null }]);
    const driver = await ConsoleDriver.connect(ready.socket);
    const line = driver.read();
    const operator = new Operator(connect(path));
    operator.type("yes\n");
    assert.equal(await line, "yes");
    await driver.write("thanks\n");
    await operator.sees("thanks\r\n");
    const second = await place.run([
      "console",
      "attach",
      "--socket",
      "served2",
      "--terminal",
      "unix:line",
      "--json",
    ]);
    assert.equal(errorOf(second).code, "listen-failed");
    await driver.write("still yours\n");
    await operator.sees("thanks\r\nstill yours\r\n");
    driver.client.close();
    running.kill("SIGTERM");
    assert.deepEqual([(await running.ended).status, running.err], [0, ""]);
    assert.deepEqual([existsSync(path), existsSync(ready.socket)], [false, false]);
    operator.leave();
  }));

test("what can't be a console's terminal or socket is refused, and nothing is left", (t) =>
  inWorkplace(async (place) => {
    const wrong = async (...words: readonly string[]) =>
      errorOf(await place.run(["console", "attach", "--json", ...words])).code;
    const words = ["console", "attach", "--json", "--socket", "served", "--terminal", "screen"];
    assert.equal(errorOf(await place.run(words), 2).code, "bad-terminal", "wrong use");
    assert.equal(await wrong("--socket", "served", "--terminal", "unix:no/line"), "listen-failed");
    assert.equal(await wrong("--socket", "no/served", "--terminal", "unix:line"), "listen-failed");
    place.file("file", "mine");
    assert.equal(await wrong("--socket", "file", "--terminal", "unix:line"), "listen-failed");
    assert.equal(existsSync(join(place.directory, "line")), false);
    assert.equal((await place.run(["console", "attach"])).status, 2);
    assert.equal((await place.run(["console", "attach", "--socket", "served", "--devno", "x"])).status, 2);
    const link = await wrong("--socket", "served", "--terminal", "pty:file");
    if (link === "no-pty") return t.skip("this machine gives no pseudo-terminal");
    assert.equal(link, "bad-terminal");
    assert.equal(await wrong("--socket", "served", "--terminal", "pty:no/link"), "bad-terminal");
  }));
