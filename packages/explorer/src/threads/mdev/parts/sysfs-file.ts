/**
 * A file in sysfs that can be written. Whoever writes holds an active reference; removing the file refuses new writers and
 * waits for those inside, unless one of them has removed the file itself.
 */
import { KernelError, type Named, noDeadline, WaitQueue } from "parhelion-core";
import type { World } from "../../../program.js";

export class SysfsFile {
  readonly name: string;
  readonly #world: World;
  readonly #left: WaitQueue;
  readonly #state: Named;
  #presence: "not yet" | "there" | "removed" = "not yet";
  #active = 0;
  /** Whether one of those inside has removed the file. */
  #self: "yes" | "no" = "no";

  constructor(world: World, name: string) {
    this.name = name;
    this.#world = world;
    this.#left = new WaitQueue(world.runtime, `${name} writers`);
    this.#state = { name: `${name} presence` };
  }

  get there(): boolean {
    this.#world.reads(this.#state);
    return this.#presence === "there";
  }

  create(): void {
    this.#world.writes(this.#state);
    this.#presence = "there";
  }

  /** Runs what writing does. @throws KernelError ENODEV there is no such file (any more) */
  async write<T>(store: () => Promise<T>): Promise<T> {
    await this.#world.point(`write ${this.name}`);
    this.#world.writes(this.#state);
    if (this.#presence !== "there") throw new KernelError("ENODEV", `${this.name}: there is no such file`);
    this.#active += 1;
    try {
      return await store();
    } finally {
      this.#world.writes(this.#state);
      this.#active -= 1;
      this.#left.wake();
    }
  }

  /** From inside of `write`: of all that do this one wins, and the removal of the file does not wait for it. */
  removeSelf(): "won" | "lost" {
    this.#world.writes(this.#state);
    if (this.#presence !== "there") return "lost";
    this.#presence = "removed";
    this.#self = "yes";
    return "won";
  }

  /** Refuses new writers and waits for those inside. */
  async remove(): Promise<void> {
    this.#world.writes(this.#state);
    this.#presence = "removed";
    await this.#left.wait(
      () => {
        this.#world.reads(this.#state);
        return this.#active <= (this.#self === "yes" ? 1 : 0);
      },
      { deadline: noDeadline },
    );
  }
}
