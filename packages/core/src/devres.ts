/**
 * What a binding holds, released in reverse when it ends. One object serves one binding: after its release it is
 * closed for good, and what is registered late is released at once instead of leaking into the next binding.
 */
import { BugError, KernelError } from "./error.js";
import type { Runtime } from "./runtime.js";
import { invoke } from "./sync/call.js";
import type { Named } from "./sync/scheduler.js";

export type ReleaseAction = () => void | Promise<void>;

/** Identifies a registered action. */
export interface DevresAction extends Named {
  readonly kind: "action";
}

/** Identifies a group. */
export interface DevresGroup extends Named {
  readonly kind: "group";
}

type Entry =
  | { readonly kind: "action"; readonly token: DevresAction; readonly release: ReleaseAction }
  | { readonly kind: "open" | "close"; readonly group: DevresGroup };

export class Devres implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  #entries: Entry[] = [];
  #state: "open" | "closed" = "open";

  constructor(runtime: Runtime, name: string) {
    this.#runtime = runtime;
    this.name = name;
  }

  /** How many actions are registered. */
  get size(): number {
    this.#runtime.scheduler.access(this, "read");
    return this.#entries.filter((entry) => entry.kind === "action").length;
  }

  /**
   * Has `release` called when the binding ends: once, after everything that was registered later.
   * @throws KernelError ENODEV when the binding has ended: `release` has then been called already
   */
  addAction(release: ReleaseAction, name = "action"): DevresAction {
    this.#runtime.scheduler.access(this, "write");
    const token: DevresAction = { kind: "action", name };
    if (this.#state === "closed") {
      this.#releaseLate(token, release);
      throw new KernelError(
        "ENODEV",
        `${name} was registered on ${this.name} after its release began and has been released; stop using the device`,
      );
    }
    this.#entries.push({ kind: "action", token, release });
    return token;
  }

  /** Forgets the action without calling it. @throws BugError devres-unknown */
  removeAction(action: DevresAction): void {
    this.#take(action);
  }

  /** Calls the action now instead of later. @throws BugError devres-unknown, and what the action throws */
  async releaseAction(action: DevresAction): Promise<void> {
    const { release } = this.#take(action);
    await invoke(this.#runtime, "devres.release", this, release);
  }

  /** Opens a group: what is registered until `closeGroup`, or until the end, belongs to it. */
  openGroup(name = "group"): DevresGroup {
    const group: DevresGroup = { kind: "group", name };
    this.#runtime.scheduler.access(this, "write");
    if (this.#state === "closed") {
      throw new KernelError("ENODEV", `group ${name} was opened on ${this.name} after its release began`);
    }
    this.#entries.push({ kind: "open", group });
    return group;
  }

  closeGroup(group: DevresGroup): void {
    this.#find(group);
    this.#entries.push({ kind: "close", group });
  }

  /** Forgets the group's boundaries; what is in it stays. */
  removeGroup(group: DevresGroup): void {
    this.#find(group);
    this.#entries = this.#entries.filter((entry) => entry.kind === "action" || entry.group !== group);
  }

  /**
   * Releases what is between the group's boundaries (to the end if it is not closed), in reverse. Groups that lie
   * wholly inside go with it; of those that only overlap the boundaries stay.
   */
  async releaseGroup(group: DevresGroup): Promise<void> {
    const from = this.#find(group);
    const close = this.#entries.findIndex((entry) => entry.kind === "close" && entry.group === group);
    const to = close === -1 ? this.#entries.length : close + 1;
    const inside = this.#entries.slice(from, to);
    const opened = new Set(inside.flatMap((entry) => (entry.kind === "open" ? [entry.group] : [])));
    const closedLater = new Set(
      this.#entries.slice(to).flatMap((entry) => (entry.kind === "close" ? [entry.group] : [])),
    );
    const overlapping = inside.filter(
      (entry) => entry.kind !== "action" && !(opened.has(entry.group) && !closedLater.has(entry.group)),
    );
    this.#entries = [...this.#entries.slice(0, from), ...overlapping, ...this.#entries.slice(to)];
    await this.#release(inside);
  }

  /** Closes this for good unless something is registered. @returns whether it is closed */
  closeIfEmpty(): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.size > 0) return false;
    this.#state = "closed";
    return true;
  }

  /** Ends the binding: closes this for good and releases everything in reverse. Failures are logged, never thrown. */
  async releaseAll(): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "closed";
    const entries = this.#entries;
    this.#entries = [];
    await this.#release(entries);
  }

  // The list is taken out before the first callback runs, so a callback may use this object freely.
  async #release(entries: readonly Entry[]): Promise<void> {
    for (const entry of [...entries].reverse()) {
      if (entry.kind !== "action") continue;
      try {
        await invoke(this.#runtime, "devres.release", this, entry.release);
      } catch (error) {
        this.#failed(entry.token, error);
      }
    }
  }

  #releaseLate(token: DevresAction, release: ReleaseAction): void {
    this.#runtime.log("warn", "devres.late", { devres: this.name, action: token.name });
    try {
      const rest = release();
      if (rest === undefined) return;
      this.#runtime.scheduler.spawn(`devres late ${token.name}`, async () => {
        try {
          await rest;
        } catch (error) {
          this.#failed(token, error);
        }
      });
    } catch (error) {
      this.#failed(token, error);
    }
  }

  #failed(token: DevresAction, error: unknown): void {
    this.#runtime.log("error", "devres.release-failed", { devres: this.name, action: token.name, error });
  }

  #take(action: DevresAction): { release: ReleaseAction } {
    this.#runtime.scheduler.access(this, "write");
    for (const [index, entry] of this.#entries.entries()) {
      if (entry.kind === "action" && entry.token === action) {
        this.#entries.splice(index, 1);
        return entry;
      }
    }
    throw new BugError("devres-unknown", `${action.name} is not registered on ${this.name}`);
  }

  #find(group: DevresGroup): number {
    this.#runtime.scheduler.access(this, "write");
    const index = this.#entries.findIndex((entry) => entry.kind === "open" && entry.group === group);
    if (index === -1) throw new BugError("devres-unknown", `${group.name} is not a group of ${this.name}`);
    return index;
  }
}
