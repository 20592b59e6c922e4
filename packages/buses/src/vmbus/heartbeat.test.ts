import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Clock, createRuntime, KernelError } from "parhelion-core";
import { vmbusFeatures } from "parhelion-protocol";
import { createVmbusPipe, Heartbeat, VmbusHost } from "../index.js";
import { createRig } from "../rig.test.fixture.js";
import { VmbusConnection } from "./connection.js";

/** Time that passes when it is told to. `slept` is what only the clock since boot has seen. */
class Time implements Clock {
  slept = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();
  #now = 0;

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fire: () => void): { cancel(): void } {
    const timer = { at: this.#now + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > until) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    this.#now = until;
  }
}

class Watched {
  readonly time = new Time();
  readonly asked: number[] = [];
  cutBecause: string | null = null;
  answers: "yes" | "no" = "yes";
  lastHeard = 0;
  readonly heartbeat: Heartbeat;

  constructor() {
    const runtime = createRuntime({ clock: this.time });
    this.heartbeat = new Heartbeat(runtime, { now: () => this.time.now() + this.time.slept }, this);
    this.heartbeat.start();
  }

  get state(): "open" | "closed" {
    return this.cutBecause === null ? "open" : "closed";
  }

  async check(timeoutMs: number): Promise<void> {
    this.asked.push(timeoutMs);
    if (this.answers === "no") throw new KernelError("ETIMEDOUT", "silence");
    this.lastHeard = this.time.now();
  }

  cut({ message }: Error): void {
    this.cutBecause = message;
  }
}

describe("a heartbeat", () => {
  it("asks who is silent, now and then, and nobody who speaks", async () => {
    const silent = new Watched();
    await silent.time.pass(35_000);
    assert.deepEqual(silent.asked, [30_000, 30_000, 30_000]);
    const talking = new Watched();
    for (let i = 0; i < 35; i++) {
      await talking.time.pass(1000);
      talking.lastHeard = talking.time.now();
    }
    assert.deepEqual(talking.asked, []);
    for (const { heartbeat } of [silent, talking]) heartbeat.stop();
  });

  it("asks at once after a sleep, and gives up soon", async () => {
    const watched = new Watched();
    await watched.time.pass(2500);
    watched.time.slept = 60_000;
    await watched.time.pass(1000);
    assert.deepEqual(watched.asked, [3000]);
    await watched.time.pass(5000);
    assert.deepEqual(watched.asked, [3000], "one sleep, one question");
    watched.answers = "no";
    watched.time.slept = 120_000;
    await watched.time.pass(1000);
    assert.match(watched.cutBecause ?? "", /3000 ms; asked because time has jumped/);
    await watched.time.pass(100_000);
    assert.equal(watched.asked.length, 2, "nobody looks after a connection that has ended");
  });

  it("is answered by both ends of a connection, and ends one whose other end hangs", async () => {
    const { runtime, system, vmbus } = createRig();
    const pipe = createVmbusPipe(runtime, "pipe");
    const accepting = VmbusHost.accept(pipe.host, { runtime, authorize: () => vmbusFeatures });
    const init = { name: "guest", credential: "" };
    const guest = await VmbusConnection.connect(system, vmbus, pipe.guest, init);
    const host = await accepting;
    await Promise.all([guest.check(5000), host.check(5000)]);
    const ended = new Promise<Error>((resolve) => host.onClose(resolve));
    host.cut(new Error("it hangs"));
    assert.equal((await ended).message, "it hangs");
    await assert.rejects(host.check(5000));
    await guest.close();
  });
});
