/** A host in a process of its own, which can be killed, on scripted engines. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "parhelion-core";
import { AdminClient } from "./admin/admin-client.js";
import type { EngineLauncher } from "./engines/launcher.js";
import type { CreatedGuest } from "./guests/guests.js";
import type { HostStatus } from "./status.js";

export const scriptedLauncher: EngineLauncher = {
  entry: new URL("./engines/scripted-engine.test.fixture.js", import.meta.url).pathname,
  environmentFor: async () => ({ BEHAVIOUR: "good" }),
};

const program = `import { startHost } from ${JSON.stringify(new URL("./host.js", import.meta.url).href)};
  const launcher = {
    entry: ${JSON.stringify(scriptedLauncher.entry)},
    environmentFor: async () => ({ BEHAVIOUR: "good" }),
  };
  const options = { launcher, adapter: "software", logLevel: "error", ...JSON.parse(process.env.OPTIONS) };
  try {
    const host = await startHost(options);
    process.on("SIGTERM", () => host.stop());
    console.log("up");
  } catch (error) {
    console.log(error.code ?? String(error));
    process.exitCode = 1;
  }`;

export class HostProcess {
  /** "up", or the code that it refused to start with. */
  readonly said: string;
  readonly stateDirectory: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(child: ChildProcess, ended: Promise<unknown>, said: string, stateDirectory: string) {
    this.#child = child;
    this.#ended = ended;
    this.said = said;
    this.stateDirectory = stateDirectory;
  }

  /** Returns when it has started, or refused to. */
  static async start(stateDirectory: string, options: object = {}): Promise<HostProcess> {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: new URL(".", import.meta.url).pathname,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, OPTIONS: JSON.stringify({ stateDirectory, ...options }) },
    });
    const ended = once(child, "close");
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const said = await Promise.race([
      once(lines, "line").then(([line]) => String(line)),
      ended.then(() => "ended without a word"),
    ]);
    return new HostProcess(child, ended, said, stateDirectory);
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  async admin<T>(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<T> {
    const admin = await AdminClient.connect(join(this.stateDirectory, "admin.sock"), systemClock);
    try {
      return (await admin.request(method, params)) as T;
    } finally {
      admin.close();
    }
  }

  status(): Promise<HostStatus> {
    return this.admin<HostStatus>("status");
  }

  guestCreate(params: Readonly<Record<string, unknown>> = {}): Promise<CreatedGuest> {
    return this.admin<CreatedGuest>("guestCreate", params);
  }
}

export async function inStateDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-again-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What comes about at all comes about in milliseconds; the bound ends a test that has failed. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 20_000; !(await condition()); left--) {
    assert.ok(left > 0, `it did not come about: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
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
