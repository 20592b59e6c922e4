/**
 * One queue's submissions on their way through the GPU. Asking Dawn when they are done costs a tenth of a small one (4 µs of some 30),
 * so short ones are asked for in groups, as many as take a few ms together; a long one is always a group of its own, as is one with a
 * pipeline that has not been seen to end, and what is known about those is exact. A group's budget is that of all its submissions: an endless
 * one among them is found late, by as many budgets as the group may have submissions. Completion, not timestamps: on the software adapter the two differ by some 0.3 ms, while resolving two
 * timestamps doubles what a small submission costs (31 µs to 57 µs), and a shader that never ends never writes the second.
 */
import type { Work } from "./work-log.js";

/** What one question to Dawn is about. */
interface Group {
  readonly first: number;
  last: number;
  readonly works: Work[];
  readonly submittedAt: number;
  /** Undefined while Dawn has not been asked. */
  askedAt: number | undefined;
  /** When the one before was done and this one was there: it has the GPU from then on. */
  startedAt: number | undefined;
  /** What it has been charged, in ms: see `age`. */
  ranMs: number;
}

/** What has been on the GPU the longest. */
export interface Oldest {
  readonly ranMs: number;
  /** How many submissions took that long together. */
  readonly count: number;
  readonly works: readonly Work[];
}

/** A group of short submissions takes about as long as this, in ms. */
const groupMs = 2;
const mostInGroup = 4;

export class Submissions {
  readonly #ask: () => Promise<unknown>;
  readonly #answered: (count: number) => void;
  readonly #groups: Group[] = [];
  /** Pipelines of submissions that are done. */
  readonly #ended = new WeakSet<object>();
  #submitted = 0;
  #completed = 0;
  /** How many submissions wait for one question. */
  #groupSize = 1;
  /** Of one submission, in ms; 0: not known yet. */
  #averageMs = 0;
  #busyMs = 0;
  #state: "open" | "ended" = "open";

  /**
   * @param ask resolves when everything submitted before is done
   * @param answered told that the first `count` submissions are done
   */
  constructor(ask: () => Promise<unknown>, answered: (count: number) => void) {
    this.#ask = ask;
    this.#answered = answered;
  }

  /** As far as is known: those that are done and were not asked for count. */
  get inFlight(): number {
    return this.#state === "ended" ? 0 : this.#submitted - this.#completed;
  }

  get averageMs(): number {
    return this.#averageMs;
  }

  /** How much the GPU has worked since this was asked last, in ms. */
  takeBusy(): number {
    const ms = this.#busyMs;
    this.#busyMs = 0;
    return ms;
  }

  /** To be called before Dawn is given the works: what is asked later is about them as well. */
  prepare(now: number, works: readonly Work[]): void {
    if (this.#isDoubtful(works)) this.askForRest(now);
  }

  /** Dawn has been given the works. */
  submit(now: number, works: readonly Work[]): void {
    this.#submitted += 1;
    let group = this.#groups.at(-1);
    if (group === undefined || group.askedAt !== undefined) {
      const startedAt = this.#groups.length === 0 ? now : undefined;
      const last = this.#submitted;
      group = { first: last, last, works: [], submittedAt: now, askedAt: undefined, startedAt, ranMs: 0 };
      this.#groups.push(group);
    }
    group.last = this.#submitted;
    group.works.push(...works);
    if (this.#isDoubtful(works) || group.last - group.first + 1 >= this.#groupSize)
      this.#question(group, now);
  }

  /** Asks for what has been submitted and not been asked for. */
  askForRest(now: number): void {
    const group = this.#groups.at(-1);
    if (group !== undefined && group.askedAt === undefined) this.#question(group, now);
  }

  /** Dawn said by other means that the first `count` submissions are done. */
  done(count: number, now: number): void {
    if (count <= this.#completed) return;
    this.#completed = count;
    for (let group = this.#groups[0]; group !== undefined && group.last <= count; group = this.#groups[0]) {
      this.#groups.shift();
      this.#measure(group, now);
      for (const { pipeline } of group.works.flatMap(({ heaviest }) => heaviest))
        if (pipeline !== undefined) this.#ended.add(pipeline);
      const next = this.#groups[0];
      if (next !== undefined) next.startedAt = now;
    }
  }

  /**
   * Time has passed, in which the GPU was this queue's, or a part of it.
   * @param ms until now
   */
  age(now: number, ms: number): Oldest | undefined {
    const group = this.#groups[0];
    if (group?.startedAt === undefined) return undefined;
    group.ranMs = Math.max(0, group.ranMs + Math.min(ms, Math.max(0, now - group.startedAt)));
    return { ranMs: group.ranMs, count: group.last - group.first + 1, works: group.works };
  }

  /** What runs begins anew: somebody else kept the GPU from it. */
  forgive(): void {
    for (const group of this.#groups) group.ranMs = 0;
  }

  end(): void {
    this.#state = "ended";
  }

  /** Whether they do something that has not been seen to end. */
  #isDoubtful(works: readonly Work[]): boolean {
    return works.some(({ heaviest }) =>
      heaviest.some(({ pipeline }) => pipeline !== undefined && !this.#ended.has(pipeline)),
    );
  }

  #question(group: Group, now: number): void {
    group.askedAt = now;
    const { last } = group;
    const answered = (): void => {
      if (this.#state === "open") this.#answered(last);
    };
    // A device that is lost keeps the GPU from nobody.
    this.#ask().then(answered, answered);
  }

  #measure(
    { first, last, submittedAt, startedAt = submittedAt, askedAt = startedAt }: Group,
    now: number,
  ): void {
    const count = last - first + 1;
    const waitedMs = Math.max(0, askedAt - startedAt);
    const late = waitedMs > groupMs;
    // Asked late, it may have been done long before the answer.
    const ms = late ? Math.min(waitedMs, count * this.#averageMs) + now - askedAt : now - startedAt;
    this.#busyMs += Math.max(0, ms);
    if (late) return;
    const each = Math.max(0, ms) / count;
    const jump = this.#averageMs === 0 || each > 4 * this.#averageMs;
    this.#averageMs = jump ? each : 0.75 * this.#averageMs + 0.25 * each;
    this.#groupSize = Math.max(
      1,
      Math.min(mostInGroup, Math.floor(groupMs / Math.max(this.#averageMs, 0.01))),
    );
  }
}
