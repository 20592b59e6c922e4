/** The real command as child processes, in a directory and with a mark of their own, so that what they leave behind is found. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { HostStatus } from "parhelion-host";

export const bin = fileURLToPath(new URL("../bin/parhelion.js", import.meta.url));
/** What not even a machine that has no time for tests needs; a test that waits longer has failed. */
const patienceMs = 180_000;
const MARK = "PARHELION_TEST_MARK";

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface StartOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly input?: string;
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  out = "";
  err = "";

  constructor(file: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, input?: string) {
    const child = spawn(file, args, {
      cwd,
      env,
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    this.child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.err += text;
    });
    // With a time limit, so that a hang shows what it said.
    const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, signal) => {
        clearTimeout(timer);
        resolve({ status, signal, out: this.out, err: this.err });
      });
    });
    if (input !== undefined) child.stdin?.end(input);
  }

  get pid(): number {
    return this.child.pid as number;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Waits until its output has `text`. */
  async says(text: string): Promise<void> {
    await until(
      `"${text}" is printed`,
      () => {
        if (this.out.includes(text)) return true;
        if (this.child.exitCode !== null || this.child.signalCode !== null)
          throw new Error(`it ended without saying "${text}": ${this.out}${this.err}`);
        return false;
      },
      () => `${this.out}${this.err}`,
    );
  }
}

export class Workplace {
  readonly directory = mkdtempSync(join(tmpdir(), "phc-"));
  readonly state = join(this.directory, "s");
  readonly #running: Running[] = [];
  readonly #environment: NodeJS.ProcessEnv;

  constructor() {
    const temporary = join(this.directory, "t");
    mkdirSync(temporary);
    const { NODE_TEST_CONTEXT: _context, PARHELION_DIR: _guest, ...inherited } = process.env;
    this.#environment = {
      ...inherited,
      PARHELION_STATE: this.state,
      TMPDIR: temporary,
      [MARK]: this.directory,
    };
  }

  /** Starts `parhelion` with these words. */
  start(args: readonly string[], options: StartOptions = {}): Running {
    return this.program(process.execPath, [bin, ...args], options);
  }

  program(file: string, args: readonly string[], options: StartOptions = {}): Running {
    const environment = { ...this.#environment, ...options.environment };
    const running = new Running(file, args, this.directory, environment, options.input);
    this.#running.push(running);
    return running;
  }

  run(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.start(args, options).ended;
  }

  /** What a command prints under --json, which has to be well. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { status, out, err } = await this.run([...args, "--json"]);
    assert.equal(status, 0, `${args.join(" ")}: ${out}${err}`);
    return JSON.parse(out) as T;
  }

  status(): Promise<HostStatus> {
    return this.json("ls");
  }

  /** A host on the software adapter that is ready. */
  async host(...args: readonly string[]): Promise<{ readonly host: Running; readonly ready: Ready }> {
    const host = this.start(["host", "--adapter", "software", "--json", ...args]);
    await host.says("\n");
    return { host, ready: JSON.parse(host.out) as Ready };
  }

  file(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  async close(): Promise<void> {
    for (const { child, ended } of this.#running) {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      await ended;
    }
    try {
      await until(
        "every process has ended",
        () => processesWith(this.directory).length === 0,
        () => `${processesWith(this.directory).join(", ")} live`,
      );
      assert.deepEqual(
        readdirSync(join(this.directory, "t")).filter((name) => name.startsWith("parhelion-")),
        [],
        "a private host's directory is left",
      );
    } finally {
      for (const pid of processesWith(this.directory)) process.kill(pid, "SIGKILL");
      rmSync(this.directory, { recursive: true, force: true });
    }
  }
}

export interface Ready {
  readonly event: string;
  readonly pid: number;
  readonly stateDirectory: string;
  readonly listening: { readonly host: string; readonly port: number } | null;
  readonly adapters: readonly { readonly kind: string }[];
}

/** Runs `body`; afterwards no process of it lives and no private host's directory is left. */
export async function inWorkplace(body: (place: Workplace) => Promise<void>): Promise<void> {
  const place = new Workplace();
  try {
    await body(place);
  } finally {
    await place.close();
  }
}

export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seen: () => string = () => "",
): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`it did not come about that ${what}: ${seen()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A zombie has no environment any more and does not count. */
export function processesWith(mark: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${MARK}=${mark}`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A WebGPU program that says "device", then "lost", and ends with 4 when its device is lost. */
export const holder = `
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  device.lost.then(({ reason }) => { console.log("lost", reason); process.exit(4); });
  console.log("device");
  setTimeout(() => {}, 600_000);`;

/** The words that run a program of this source. */
export function nodeWords(source: string): string[] {
  return [process.execPath, "--input-type=module", "-e", source];
}

/** Of a command that failed under --json. */
export function errorOf(ended: Ended, status = 1): { code: string; message: string; remedy: string } {
  assert.equal(ended.status, status, ended.err);
  assert.equal(ended.err, "");
  const last = ended.out.trimEnd().split("\n").at(-1) ?? "";
  const { error } = JSON.parse(last) as { error: { code: string; message: string; remedy: string } };
  assert.notEqual(error.message, "");
  assert.notEqual(error.remedy, "");
  return error;
}
