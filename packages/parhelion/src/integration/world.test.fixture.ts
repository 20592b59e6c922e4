/** A host, guests and programs in them: the whole house, with nothing replaced. Every wait in it ends. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LogRecord } from "parhelion-core";
import { createEngineLauncher } from "parhelion-engine";
import { type GuestKernel, startGuestKernel } from "parhelion-guest";
import { type CreatedGuest, type Host, type HostOptions, type SliceStatus, startHost } from "parhelion-host";

/** Where `import "parhelion-…"` of a program given on the command line resolves. */
const workingDirectory = new URL(".", import.meta.url).pathname;

/** What not even a machine that has no time for tests needs; a test that waits longer has failed. */
const patienceMs = 180_000;

export interface World {
  readonly host: Host;
  readonly log: LogRecord[];
  /** A guest with its kernel in this process. */
  guest(wish?: Parameters<Host["guestCreate"]>[0]): Promise<Guest>;
  engine(): Promise<SliceStatus>;
}

export interface Guest {
  readonly created: CreatedGuest;
  readonly kernel: GuestKernel;
}

/**
 * Runs `body` on a host with the software adapter, stops what is left, and checks that nothing is: no child of the host, no
 * file. Warnings are failures unless `expects` names their event.
 */
export async function inWorld(
  body: (world: World) => Promise<void>,
  options: { readonly expects?: readonly string[]; readonly host?: Partial<HostOptions> } = {},
): Promise<void> {
  await inDirectory(async (stateDirectory) => {
    const log: LogRecord[] = [];
    const kernels: GuestKernel[] = [];
    const host = await startHost({
      launcher: createEngineLauncher(),
      stateDirectory,
      store: "memory",
      adapter: "software",
      log: (record) => log.push(record),
      ...options.host,
    });
    const world: World = {
      host,
      log,
      guest: async (wish = {}) => {
        const created = await host.guestCreate(wish);
        const kernel = await startGuestKernel({
          connect: { path: created.vmbus },
          credential: created.credential,
          directory: created.directory,
        });
        kernels.push(kernel);
        return { created, kernel };
      },
      engine: async () => (await host.status()).slices[0] as SliceStatus,
    };
    let engines: readonly number[] = [];
    try {
      await body(world);
    } finally {
      engines = (await host.status()).slices.flatMap(({ engine }) => engine.pid ?? []);
      for (const kernel of kernels) await kernel.stop();
      await host.stop();
    }
    for (const pid of engines) assert.ok(!isAlive(pid), `engine ${pid} has outlived its host`);
    assert.deepEqual(await readdir(stateDirectory), []);
    const loud = log.filter(
      ({ level, event }) => level !== "debug" && level !== "info" && !options.expects?.includes(event),
    );
    assert.deepEqual(loud, []);
  });
}

export async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-"));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A Node program of its own, judged by the lines that it prints. */
export class Program {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | NodeJS.Signals | null>;
  #changed: () => void = () => undefined;

  constructor(
    source: string,
    options: { readonly flags?: readonly string[]; readonly environment?: NodeJS.ProcessEnv } = {},
  ) {
    this.#child = spawn(process.execPath, [...(options.flags ?? []), "--input-type=module", "-e", source], {
      cwd: workingDirectory,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const [stream, into] of [
      [this.#child.stdout, this.lines],
      [this.#child.stderr, this.errors],
    ] as const) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
        into.push(line);
        this.#changed();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => {
        resolve(signal ?? code);
        this.#changed();
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get state(): "running" | "ended" {
    return this.#child.exitCode === null && this.#child.signalCode === null ? "running" : "ended";
  }

  kill(signal: NodeJS.Signals = "SIGKILL"): void {
    this.#child.kill(signal);
  }

  /** The first line that begins so, without that beginning. */
  async line(start: string): Promise<string> {
    const line = await this.lineOrEnd(start);
    if (line === undefined) throw new Error(`no line "${start}…" came: ${this.#said()}`);
    return line;
  }

  /** As `line`, of a program that may end before: then undefined. */
  async lineOrEnd(start: string): Promise<string | undefined> {
    for (const deadline = Date.now() + patienceMs; ; ) {
      // What it printed last may arrive after it has gone.
      if (this.state === "ended") await this.#ended;
      const found = this.lines.find((line) => line.startsWith(start));
      if (found !== undefined) return found.slice(start.length).trim();
      if (this.state === "ended") return undefined;
      if (Date.now() > deadline) throw new Error(`no line "${start}…" came in time: ${this.#said()}`);
      await this.#change();
    }
  }

  /** Waits until the program ends by itself; one that hangs is killed and fails the test. */
  async end(): Promise<void> {
    const timer = setTimeout(() => this.kill(), patienceMs);
    const how = await this.#ended;
    clearTimeout(timer);
    assert.equal(how, 0, `the program did not end well: ${this.#said()}`);
  }

  async ended(): Promise<void> {
    await this.#ended;
  }

  #said(): string {
    return JSON.stringify({ out: this.lines, err: this.errors }, undefined, 1);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 100);
      this.#changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** An application in a guest: it finds `navigator.gpu` as any program does. */
export function application(directory: string, source: string, environment: NodeJS.ProcessEnv = {}): Program {
  return new Program(source, {
    flags: ["--import", "parhelion-client/register"],
    environment: { ...environment, PARHELION_DIR: directory },
  });
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + patienceMs; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`it did not come about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A process that has ended and waits for its parent to notice counts as ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
