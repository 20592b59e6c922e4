// One guest of the soak with what lives in it: a kernel, and a program that computes for ever. Whatever is killed is started again.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { end, pause, root, start } from "./children.mjs";

const register = ["--import", "parhelion-client/register"];

/** Programs that nobody wrote for this: each run is a round, and they do not survive a lost device. */
const UNMODIFIED = {
  "tfjs-matmul": ["examples/tfjs/matmul.mjs"],
  "three-scene": ["examples/three/scene.mjs", "--width", "192", "--height", "144"],
};

export const PROGRAMS = ["sums", "sort", "life", "fractal", "blur", "uploads", ...Object.keys(UNMODIFIED)];

export function commandOf(program) {
  const unmodified = UNMODIFIED[program];
  return unmodified === undefined ? [join("soak", "worker.mjs"), program] : [...unmodified, "--json"];
}

/** What of an unmodified program's report must be the same in every run. */
export function digestOfReport(line) {
  const { times, ...same } = JSON.parse(line);
  return createHash("sha256").update(JSON.stringify(same)).digest("hex").slice(0, 32);
}

export class Resident {
  rounds = 0;
  lost = 0;
  refused = 0;
  restarts = 0;
  /** What must not happen: wrong results, stuck promises, errors without a cause. */
  faults = [];
  longestGapMs = 0;
  #state = "living";
  #last = Date.now();

  /**
   * @param expected digests by seed, from a run that nobody disturbed
   * @param guest what guestCreate answered
   */
  constructor(program, expected, guest) {
    this.program = program;
    this.expected = expected;
    this.guest = guest;
  }

  async live() {
    await Promise.all([
      this.#keep("kernel", () => this.#startKernel()),
      this.#keep("worker", () => this.#startProgram()),
    ]);
  }

  /** How it is, for whoever looks for what is wrong. */
  told() {
    const { program, rounds, lost, refused, lastRefusal, faults } = this;
    return {
      program,
      rounds,
      lost,
      refused,
      lastRefusal,
      faults,
      kernel: this.kernel?.errors,
      worker: this.worker?.errors,
    };
  }

  /** When something was done to it: an unmodified program that fails then is not at fault. */
  disturb() {
    this.disturbedAt = Date.now();
  }

  async leave() {
    this.#state = "leaving";
    await this.worker?.ended;
    await end(this.kernel);
  }

  /** Ends the program, in order, so that nothing of it is left on the slice. */
  async rest() {
    this.#state = "leaving";
    if (this.worker !== undefined) await end(this.worker, 120_000);
  }

  async #keep(what, begin) {
    while (this.#state === "living") {
      this[what] = begin();
      await this[what].ended;
      if (this.#state === "living") await pause(200);
    }
  }

  #startKernel() {
    this.restarts += 1;
    return start([join(root, "soak/kernel.mjs")], { environment: { GUEST: JSON.stringify(this.guest) } });
  }

  #startProgram() {
    const begun = Date.now();
    const unmodified = UNMODIFIED[this.program] !== undefined;
    let report;
    const child = start([...register, ...commandOf(this.program)], {
      environment: { PARHELION_DIR: this.guest.directory },
      onLine: (line) => {
        if (unmodified) report = line;
        else this.#heard(JSON.parse(line));
      },
    });
    if (unmodified) child.ended.then((how) => this.#judge(how, report, begun, child));
    return child;
  }

  #heard(event) {
    if (event.digest !== undefined) this.#round(event.seed, event.digest);
    else if (event.lost !== undefined) this.lost += 1;
    else if (event.refused !== undefined) {
      this.refused += 1;
      this.lastRefusal = event.message;
    } else this.faults.push(event);
  }

  #round(seed, digest) {
    const now = Date.now();
    this.longestGapMs = Math.max(this.longestGapMs, now - this.#last);
    this.#last = now;
    this.rounds += 1;
    if (this.expected[seed] !== digest)
      this.faults.push({ wrong: "digest", seed, digest, expected: this.expected[seed] });
  }

  #judge(how, report, begun, child) {
    if (how === 0 && report !== undefined) return this.#round(0, digestOfReport(report));
    // Killed, or taken down by what was done to its slice since it began.
    if (how === "SIGKILL" || how === "SIGTERM" || this.#state !== "living") return;
    if ((this.disturbedAt ?? 0) >= begun - 5000) this.lost += 1;
    else this.faults.push({ wrong: "ended", how, message: child.errors.slice(-3).join(" ") });
  }
}
