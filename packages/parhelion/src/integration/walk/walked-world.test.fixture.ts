/**
 * Two guests on one host, everybody in a process of its own. One guest is walked through a session again and again, and somebody is
 * killed at one of its steps; the other guest computes all the time.
 */
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "parhelion-core";
import { AdminClient, type CreatedGuest, type HostStatus } from "parhelion-host";
import { application, Program, until } from "../world.test.fixture.js";
import { hostOfTheWalk, kernelOfTheWalk, neighbour, session } from "./session.test.fixture.js";
import { Tap } from "./tap.test.fixture.js";

export const victims = ["application", "kernel", "engine", "host"] as const;
export type Victim = (typeof victims)[number];

interface Plan {
  readonly step: string;
  readonly victim: Victim;
  readonly pid: () => number | undefined;
}

/** Nobody is killed. */
const nowhere: Plan = { step: "", victim: "engine", pid: () => undefined };

export class WalkedWorld {
  readonly #directory: string;
  readonly #taps: Tap[] = [];
  readonly #programs: Program[] = [];
  #admin: AdminClient | undefined;
  #host: Program | undefined;
  #guest: CreatedGuest | undefined;
  #kernel: Program | undefined;
  #application: Program | undefined;
  #neighbour: Program | undefined;
  #steps: string[] = [];
  #plan = nowhere;
  #files: readonly string[] = [];

  /** @param directory an empty one with a short path: sockets lie in it */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async open(): Promise<void> {
    await mkdir(join(this.#directory, "t"));
    for (const name of ["plan", "steps"]) await writeFile(this.#path(name), "");
    await this.#startHost();
    this.#guest = await this.#createGuest();
    const { vmbus, directory } = this.#guest;
    const sockets = { vmbus, ...inDirectory(directory, ["dxg", "dxg0", "q0"]) };
    for (const [name, target] of Object.entries(sockets))
      this.#taps.push(await Tap.open(this.#path(`t/${name}`), target, name, (step) => this.#passes(step)));
    await symlink(join(directory, "attributes.json"), this.#path("t/attributes.json"));
    const other = await this.#createGuest();
    await this.#run(kernelOfTheWalk, { GUEST: JSON.stringify(other) }).line("nodes");
    this.#neighbour = application(other.directory, neighbour);
    this.#programs.push(this.#neighbour);
    await this.#neighbour.line("round");
  }

  /** @returns the steps of a session that nobody disturbs */
  async enumerate(): Promise<readonly string[]> {
    assert.equal(await this.#walk(nowhere), "right");
    await this.#endKernel();
    // The engine, once started, stays.
    this.#files = await this.#filesLeft();
    const ofEngine = (await readFile(this.#path("steps"), "utf8")).split("\n").filter((line) => line !== "");
    return [...this.#steps, ...ofEngine];
  }

  /**
   * Walks a session in which the victim is killed at that step. Everybody who is left settles, what was killed is started again, and
   * the next session is right; nothing is left of either.
   */
  async kill(victim: Victim, step: string): Promise<void> {
    const when = `${victim} killed at ${step}`;
    const engine = await this.#enginePid();
    const pid = {
      application: () => this.#application?.pid,
      kernel: () => this.#kernel?.pid,
      engine: () => engine,
      host: () => this.#host?.pid,
    }[victim];
    const outcome = await this.#walk({ step, victim, pid });
    assert.match(outcome, victim === "application" ? /^(killed|right)/ : /^(right|lost|refused)/, when);
    await until(`a session is right again after ${when}`, async () => {
      // Others can notice that it was killed before this process is told of its end.
      if (this.#host?.state === "ended") await this.#startHost();
      return (await this.#walk(nowhere)) === "right";
    });
    await this.#endKernel();
    await this.#settled(when);
  }

  /** What the neighbour has computed so far was always the same. */
  assertNeighbourUndisturbed(): void {
    const rounds = new Set(this.#neighbour?.lines);
    assert.equal(rounds.size, 1, `the neighbour computed ${[...rounds].join(", ")}`);
  }

  async close(): Promise<void> {
    this.#admin?.close();
    for (const tap of this.#taps) await tap.close();
    for (const program of this.#programs) {
      program.kill();
      await program.ended();
    }
  }

  /** A kernel starts unless one serves; a program runs its session. @returns how that ended */
  async #walk(plan: Plan): Promise<string> {
    const { step, victim } = plan;
    for (const tap of this.#taps) tap.forget();
    this.#steps = [];
    await writeFile(this.#path("steps"), "");
    const target = victim === "engine" ? "engine" : plan.pid();
    this.#plan = plan;
    await writeFile(this.#path("plan"), step === "" ? "" : `${step}\n${target ?? ""}`);
    try {
      if (this.#kernel?.state !== "running") {
        const guest = { ...this.#guest, vmbus: this.#path("t/vmbus") };
        this.#kernel = this.#run(kernelOfTheWalk, { GUEST: JSON.stringify(guest) });
        await this.#kernel.lineOrEnd("nodes");
      }
      this.#application = application(this.#path("t"), session);
      this.#programs.push(this.#application);
      if (victim === "application" && step.startsWith("ipc"))
        await writeFile(this.#path("plan"), `${step}\n${this.#application.pid}`);
      const end = await this.#application.lineOrEnd("end");
      await this.#application.ended();
      return end ?? "killed";
    } finally {
      this.#plan = nowhere;
      await writeFile(this.#path("plan"), "");
    }
  }

  #passes(step: string): void {
    this.#steps.push(step);
    if (step !== this.#plan.step) return;
    const pid = this.#plan.pid();
    if (pid !== undefined) kill(pid);
  }

  async #endKernel(): Promise<void> {
    this.#kernel?.kill("SIGTERM");
    await this.#kernel?.ended();
  }

  async #settled(when: string): Promise<void> {
    await until(`the host has forgotten the session of ${when}`, async () => {
      const { guests, slices } = await this.#status();
      const mine = guests.find(({ id }) => id === this.#guest?.id);
      return (
        mine?.connection === "none" &&
        slices.every(({ uuid, devices }) => devices === 0 || !mine.slices.includes(uuid))
      );
    });
    let files: readonly string[] = [];
    await until(`no file is left of ${when}`, async () => {
      files = await this.#filesLeft();
      return files.join() === this.#files.join();
    }).catch((error) => assert.deepEqual(files, this.#files, String(error)));
  }

  /** Without those of the store, whose names are its own affair. */
  async #filesLeft(): Promise<readonly string[]> {
    const names = await readdir(this.#path("h"), { recursive: true });
    return names.filter((name) => !name.startsWith("store")).sort();
  }

  async #status(): Promise<HostStatus> {
    return (await this.#admin?.request("status")) as HostStatus;
  }

  async #enginePid(): Promise<number | undefined> {
    const { guests, slices } = await this.#status();
    const mine = guests.find(({ id }) => id === this.#guest?.id);
    return slices.find(({ uuid }) => mine?.slices.includes(uuid))?.engine.pid;
  }

  async #createGuest(): Promise<CreatedGuest> {
    return (await this.#admin?.request("guestCreate", { lifetime: "kept" })) as CreatedGuest;
  }

  async #startHost(): Promise<void> {
    this.#admin?.close();
    this.#host = this.#run(hostOfTheWalk, {
      STATE: this.#path("h"),
      ENTRY: fileURLToPath(new URL("engine-entry.test.child.js", import.meta.url)),
      PARHELION_WALK_PLAN: this.#path("plan"),
      PARHELION_WALK_STEPS: this.#path("steps"),
    });
    await this.#host.line("ready");
    this.#admin = await AdminClient.connect(join(this.#path("h"), "admin.sock"), systemClock);
  }

  #run(source: string, environment: NodeJS.ProcessEnv): Program {
    const program = new Program(source, { environment });
    this.#programs.push(program);
    return program;
  }

  #path(name: string): string {
    return join(this.#directory, name);
  }
}

function inDirectory(directory: string, names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, join(directory, name)]));
}

/** Who has ended meanwhile needs no signal. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
