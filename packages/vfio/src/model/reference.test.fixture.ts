/**
 * What VFIO should answer, said once more and differently: no objects, no locks, no order of checks beyond what a user can
 * see. A device knows who has it, which address space it is in, and whether it stands still.
 */
import type { MigrationState } from "../index.js";
import { ReferenceIrqs } from "./reference-irqs.test.fixture.js";
import { type Answer, pageBytes, pages, ReferenceSpace } from "./reference-space.test.fixture.js";

interface ReferencePin {
  readonly at: number;
  readonly count: number;
  readonly writes: boolean;
  state: "pinned" | "unpinned" | "taken";
}

/** Of a user: "type1" goes with its container's last group, the others with their iommufd. */
export type SpaceName = "type1" | "compat" | "own";

/** The states that the device of the test has. */
export const states: readonly MigrationState[] = ["STOP", "RUNNING", "STOP_COPY", "RESUMING"];

/** One device in a group of its own. */
export class ReferenceDevice {
  readonly spaces = {
    type1: new ReferenceSpace("type1"),
    compat: new ReferenceSpace("type1"),
    own: new ReferenceSpace("iommufd"),
  };
  readonly irqs = new ReferenceIrqs();
  group: "closed" | "open" | "contained" | "ready" = "closed";
  /** What the group has for a container. */
  via: "container" | "iommufd" = "container";
  /** Whether an iommufd was ever taken for one. */
  compat = false;
  /** Files that were got from the group. */
  files = 0;
  /** Whether the group's own file is still open. */
  groupFile = false;
  /** The device's own file, open and perhaps bound. */
  own: "closed" | "open" | "bound" = "closed";
  present = true;
  /** Where the device's addresses lead. */
  attached: SpaceName | null = null;
  migration: MigrationState = "RUNNING";
  /** The driver's next step fails. */
  breaks = false;
  readonly pins: ReferencePin[] = [];
  /** The device's log of what it writes; null: off. */
  #log: Set<number> | null = null;

  get opens(): number {
    return this.present ? this.files + (this.own === "bound" ? 1 : 0) : 0;
  }

  get still(): boolean {
    return this.migration !== "RUNNING";
  }

  /** Where DMA goes, or why it does not. */
  get space(): ReferenceSpace | Answer {
    if (this.opens === 0) return "ENODEV";
    if (this.still) return "EBUSY";
    return this.attached === null ? "EFAULT" : this.spaces[this.attached];
  }

  openGroup(): Answer {
    if (this.group !== "closed" || this.own === "bound") return "EBUSY";
    this.group = "open";
    this.groupFile = true;
    return "ok";
  }

  closeGroup(): void {
    this.groupFile = false;
    this.#settle();
  }

  setContainer(via: "container" | "iommufd"): Answer {
    if (this.group !== "open") return "EINVAL";
    this.via = via;
    this.group = via === "container" ? "contained" : "ready";
    if (via === "iommufd") this.compat = true;
    return "ok";
  }

  unsetContainer(): Answer {
    if (this.group === "open") return "EINVAL";
    if (this.files > 0) return "EBUSY";
    this.group = "open";
    this.spaces.type1.forget();
    return "ok";
  }

  setIommu(): Answer {
    if (this.group !== "contained") return "EINVAL";
    this.group = "ready";
    return "ok";
  }

  getDevice(): Answer {
    if (this.group !== "ready") return "EINVAL";
    this.files += 1;
    if (this.files === 1) this.#opened(this.via === "container" ? "type1" : "compat");
    return "ok";
  }

  closeDevice(): void {
    this.files -= 1;
    if (this.files === 0) this.#closed();
    this.#settle();
  }

  bind(): Answer {
    if (this.group !== "closed") return "EBUSY";
    if (this.own === "bound") return "EINVAL";
    this.own = "bound";
    this.#opened(null);
    return "ok";
  }

  closeOwn(): void {
    if (this.own === "bound" && this.present) this.#closed();
    this.own = "closed";
  }

  /** By its own file. */
  attach(to: "own" | null): void {
    if (this.attached === to) return;
    for (const pin of this.pins) this.#unpin(pin, "taken");
    this.attached = to;
  }

  remove(): void {
    this.#closed();
    this.present = false;
    this.spaces.type1.forget();
  }

  /** Whether the container has an address space. */
  has(name: SpaceName): boolean {
    if (name === "own") return true;
    return name === "compat"
      ? this.compat
      : this.present && this.group === "ready" && this.via === "container";
  }

  unmap(name: SpaceName, at: number, count: number): Answer | number {
    const space = this.spaces[name];
    const before = space.pieces;
    const answer = space.unmap(at, count);
    const gone = before.filter((piece) => !space.pieces.includes(piece));
    if (this.attached !== name || this.opens === 0) return answer;
    for (const pin of this.pins) {
      if (gone.some((piece) => pin.at < piece.at + piece.count && piece.at < pin.at + pin.count)) {
        this.#unpin(pin, "taken");
      }
    }
    return answer;
  }

  wrote(number: number): void {
    if (this.attached !== null) this.spaces[this.attached].wrote(number);
    this.#logged(number);
  }

  pin(at: number, count: number, writes: boolean): Answer {
    const { space } = this;
    if (typeof space === "string") return space;
    const answer = space.reach(at, count, writes ? "write" : "read");
    if (answer === "ok") this.pins.push({ at, count, writes, state: "pinned" });
    return answer;
  }

  unpin(number: number): void {
    const pin = this.pins[number];
    if (pin !== undefined) this.#unpin(pin, "unpinned");
  }

  /** What the device may write unseen, in the address space that it is in. */
  pinned(name?: SpaceName): ReadonlySet<number> {
    const held = this.pins.filter(({ state, writes }) => state === "pinned" && writes);
    if (name !== undefined && name !== this.attached) return new Set();
    return new Set(held.flatMap(({ at, count }) => Array.from({ length: count }, (_, each) => at + each)));
  }

  startLog(): Answer {
    if (this.#log !== null) return "EINVAL";
    this.#log = new Set();
    return "ok";
  }

  stopLog(): void {
    this.#log = null;
  }

  /** @returns a bit for each page */
  report(at: number, count: number): Answer | number {
    if (this.#log === null || count < 1) return "EINVAL";
    const pinned = this.pinned();
    let bits = 0;
    for (let each = at; each < at + count; each += 1) {
      if (this.#log.delete(each) || (pinned.has(each) && each < pages)) bits += 2 ** (each - at);
    }
    return bits;
  }

  migrate(to: MigrationState): Answer {
    if (this.migration === "ERROR" || !states.includes(to)) return "EINVAL";
    if (to === this.migration) return "ok";
    // What a device has for its user is told with the step that has it move again, whatever becomes of that.
    if (this.breaks && this.migration === "STOP" && to === "RUNNING") this.irqs.move();
    this.#moveTo(this.breaks ? "ERROR" : to);
    return this.breaks ? "EIO" : "ok";
  }

  reset(): void {
    this.#moveTo("RUNNING");
  }

  /** The log is of the pages that are looked at; some lie beyond. */
  #logged(number: number): void {
    if (number < pages) this.#log?.add(number);
  }

  #moveTo(state: MigrationState): void {
    this.migration = state;
    if (this.still) this.irqs.still = true;
    else this.irqs.move();
  }

  #opened(to: SpaceName | null): void {
    this.attached = to;
    this.#moveTo("RUNNING");
  }

  #closed(): void {
    this.#log = null;
    this.irqs.forget();
    for (const pin of this.pins) this.#unpin(pin, "taken");
    this.attached = null;
  }

  #unpin(pin: ReferencePin, state: "unpinned" | "taken"): void {
    if (pin.state !== "pinned") return;
    pin.state = state;
    if (!pin.writes) return;
    for (let each = pin.at; each < pin.at + pin.count; each += 1) {
      // What was unmapped has nothing left to be dirty.
      const space = this.attached === null ? null : this.spaces[this.attached];
      if (space?.find(each * pageBytes)) space.wrote(each);
      this.#logged(each);
    }
  }

  #settle(): void {
    if (this.groupFile || this.files > 0) return;
    this.group = "closed";
    this.spaces.type1.forget();
  }
}
