/** Whoever has the device open, and drives it. */
import type { Named } from "parhelion-core";
import type { World } from "../../../program.js";
import type { VfioDevice } from "../../mdev/parts/vfio-device.js";
import type { Context } from "./context.js";
import type { Design } from "./designs.js";
import type { Answer, Fsm } from "./fsm.js";

/** Where the user finds the device: null while there is none. */
export interface Node {
  readonly vfio: VfioDevice | null;
  readonly context: Context | null;
}

interface OpenFile {
  readonly vfio: VfioDevice;
  readonly context: Context;
}

export class User {
  readonly #world: World;
  readonly #design: Design;
  readonly #fsm: Fsm;
  readonly #node: Node;
  readonly #opened: Named = { name: "the user's file" };
  #file: OpenFile | null = null;

  constructor(world: World, design: Design, fsm: Fsm, node: Node) {
    this.#world = world;
    this.#design = design;
    this.#fsm = fsm;
    this.#node = node;
  }

  /** One file at most. Precondition: it is open. */
  get file(): OpenFile {
    this.#world.reads(this.#opened);
    if (this.#file === null) throw new Error("nothing is open");
    return this.#file;
  }

  async open(): Promise<Answer> {
    const { vfio, context } = this.#node;
    if (vfio === null || context === null || !vfio.tryUse()) return "ENODEV";
    if (this.#design.openFiles === "revoked") vfio.get();
    await this.#fsm.alone("event", () => this.#fsm.open(context));
    if (context.state === "not operational") {
      this.#letGo(vfio);
      return "EINVAL";
    }
    this.#world.writes(this.#opened);
    this.#file = { vfio, context };
    return "done";
  }

  async close(): Promise<void> {
    const { vfio, context } = this.file;
    await this.#fsm.alone("event", async () => {
      if (this.#design.openFiles === "waited for" || vfio.registered) await this.#fsm.close(context);
    });
    this.#letGo(vfio);
  }

  /** Starts a channel program. */
  async write(): Promise<Answer> {
    const { vfio, context } = this.file;
    return this.#fsm.alone("event", async () => {
      if (this.#design.openFiles === "revoked" && !vfio.registered) return "ENODEV";
      return this.#fsm.request(context);
    });
  }

  /** Also what happens when the guest unmaps memory that a channel program has pinned. */
  async reset(): Promise<void> {
    await this.#fsm.reset(this.file.context);
  }

  #letGo(vfio: VfioDevice): void {
    vfio.unuse();
    if (this.#design.openFiles === "revoked") vfio.put();
  }
}
