import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostStatus } from "parhelion-host";
import type { Screen } from "../screen.js";
import type { Terminal } from "../terminal.js";
import { hostStatus, sliceStatus } from "../views/top/reading.test.fixture.js";
import { type TopCommand, watch } from "./top.js";

/** Draws what is written to it, as far as `top` needs that. */
class FakeScreen implements Screen {
  columns = 80;
  rows = 24;
  /** What was written since the last look. */
  written = "";
  readonly resizes = new Set<() => void>();
  readonly exits = new Set<() => void>();

  write(text: string): void {
    this.written += text;
  }

  onResize(listener: () => void): () => void {
    this.resizes.add(listener);
    return () => this.resizes.delete(listener);
  }

  onExit(listener: () => void): () => void {
    this.exits.add(listener);
    return () => this.exits.delete(listener);
  }

  /** The lines of the last page. */
  get page(): string[] {
    const text = this.written.split("\u001b[H").at(-1) ?? "";
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal is told
    return text.replace(/\u001b\[[?0-9]*[A-Za-z]/g, "").split("\r\n");
  }
}

/** A `top` whose time passes when the test says so. */
class Watched {
  readonly screen: FakeScreen | null;
  readonly out: string[] = [];
  readonly done: Promise<void>;
  status: () => Promise<HostStatus>;
  asked = 0;
  #now = 0;
  #due: { readonly ms: number; readonly fire: () => void } | undefined;
  end: () => void = () => undefined;

  constructor(options: Partial<TopCommand>, screen: FakeScreen | null, status: () => Promise<HostStatus>) {
    this.screen = screen;
    this.status = status;
    const terminal = { out: (text: string) => this.out.push(text), screen } as unknown as Terminal;
    const end = new Promise<void>((resolve) => {
      this.end = resolve;
    });
    this.done = watch({ interval: 2, sort: "time", ...options }, terminal, {
      status: () => {
        this.asked += 1;
        return this.status();
      },
      clock: {
        now: () => this.#now,
        setTimer: (ms, fire) => {
          const due = { ms, fire };
          this.#due = due;
          return {
            cancel: () => {
              if (this.#due === due) this.#due = undefined;
            },
          };
        },
      },
      wallTime: () => 0,
      end,
    });
  }

  get armed(): number {
    return this.#due === undefined ? 0 : 1;
  }

  /** Until it waits for the next time to look, or has ended. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  async interval(): Promise<void> {
    await this.settle();
    const due = this.#due;
    assert.ok(due !== undefined, "it does not wait");
    this.#due = undefined;
    this.#now += due.ms;
    due.fire();
    await this.settle();
  }
}

const enter = "\u001b[?1049h";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";

function counting(): () => Promise<HostStatus> {
  let submits = 0;
  return async () => {
    submits += 20;
    return hostStatus([sliceStatus({ submits })]);
  };
}

test("on a terminal it draws a page each interval, and gives the terminal back when it is to end", async () => {
  const screen = new FakeScreen();
  const top = new Watched({}, screen, counting());
  await top.settle();
  assert.ok(screen.written.startsWith(enter));
  assert.match(screen.page[3] ?? "", /^SLICE/);
  assert.match(screen.page[4] ?? "", / - +- +0 +0$/);
  await top.interval();
  assert.match(screen.page[4] ?? "", / 10 +0 +0 +0$/);
  top.end();
  await top.done;
  assert.ok(screen.written.endsWith(leave));
  assert.deepEqual([screen.resizes.size, screen.exits.size, top.armed], [0, 0, 0]);
  assert.deepEqual(top.out, []);
});

test("when the terminal has another size the page is drawn anew, within it", async () => {
  const screen = new FakeScreen();
  const top = new Watched({}, screen, counting());
  await top.settle();
  for (const [columns, rows] of [
    [20, 5],
    [120, 40],
    [1, 1],
  ] as const) {
    screen.columns = columns;
    screen.rows = rows;
    screen.written = "";
    for (const resize of screen.resizes) resize();
    const lines = screen.page;
    assert.ok(lines.length <= Math.max(2, rows), `${lines.length} lines in ${rows} rows`);
    for (const line of lines) assert.ok([...line].length <= columns, line);
  }
  assert.equal(top.asked, 1);
  top.end();
  await top.done;
});

test("a host that goes away ends it with the terminal given back", async () => {
  const screen = new FakeScreen();
  const top = new Watched({}, screen, counting());
  await top.settle();
  top.status = async () => Promise.reject(new Error("the host has gone"));
  const ended = assert.rejects(top.done, /the host has gone/);
  await top.interval();
  await ended;
  assert.ok(screen.written.endsWith(leave));
  assert.equal(screen.written.split(leave).length, 2);
});

test("a process that ends otherwise gives the terminal back as well, once", async () => {
  const screen = new FakeScreen();
  const top = new Watched({}, screen, counting());
  await top.settle();
  for (const exit of screen.exits) exit();
  assert.ok(screen.written.endsWith(leave));
  top.end();
  await top.done;
  assert.equal(screen.written.split(leave).length, 2);
});

test("without a terminal it prints one page of rates after the other", async () => {
  const top = new Watched({}, null, counting());
  await top.interval();
  await top.interval();
  top.end();
  await top.done;
  assert.equal(top.out.length, 2);
  for (const page of top.out) {
    assert.match(page, /\n0a1b2c3d quarter .* 10 +0 +0 +0\n/);
    assert.ok(page.endsWith("\n"));
  }
});

test("once is one page, with rates, even on a terminal, which is not touched", async () => {
  const screen = new FakeScreen();
  const top = new Watched({ once: true }, screen, counting());
  await top.interval();
  await top.done;
  assert.equal(top.out.length, 1);
  assert.match(top.out[0] ?? "", / 10 +0 +0 +0\n/);
  assert.equal(screen.written, "");
});

test("as JSON each reading is a line, with what a page shortens in full", async () => {
  const top = new Watched({ json: true }, new FakeScreen(), counting());
  await top.interval();
  await top.interval();
  top.end();
  await top.done;
  const lines = top.out.map(
    (line) => JSON.parse(line) as { time: string; slices: Record<string, unknown>[] },
  );
  assert.equal(lines.length, 2);
  for (const { time, slices } of lines) {
    assert.equal(time, "1970-01-01T00:00:00.000Z");
    assert.deepEqual(slices[0], {
      uuid: "0a1b2c3d-0000-0000-0000-000000000000",
      type: "quarter",
      adapter: "adapter0",
      guest: "guest-id",
      engine: "ready",
      time: 0,
      submits: 10,
      bytes: 0,
      memory: { used: 0, grant: 2 ** 29, limit: 2 ** 30 },
      lostDevices: 0,
      restarts: 0,
    });
  }
});

test("an end that comes while the host is being asked is an end at once", async () => {
  const top = new Watched({}, null, () => new Promise(() => undefined));
  await top.settle();
  top.end();
  await top.done;
  assert.deepEqual(top.out, []);
});
