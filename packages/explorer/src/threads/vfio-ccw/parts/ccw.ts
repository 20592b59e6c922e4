/**
 * A subchannel with its driver, put together as a design says. Every method is what one caller does, from beginning to
 * end; what a question is not about is called in `before`.
 */
import { type Guard, type Named, SpinLock, WorkQueue } from "parhelion-core";
import type { Atomic, World } from "../../../program.js";
import { VfioDevice } from "../../mdev/parts/vfio-device.js";
import { allocateContext, type Context } from "./context.js";
import { CrwList } from "./crw-list.js";
import type { Design } from "./designs.js";
import { Fsm, type Unpin } from "./fsm.js";
import { type Ending, Hardware } from "./hardware.js";
import { Link } from "./link.js";
import { User } from "./user.js";

export interface CcwInit {
  /** Default "as asked". */
  readonly clears?: Ending;
  /** Runs as work when the subchannel is to go. Default: it is only noted. */
  readonly onUnregister?: () => Promise<void>;
  /** How the channel program is freed; default: as little as needs no thought. */
  readonly unpin?: Unpin;
}

export class Ccw {
  readonly world: World;
  readonly design: Design;
  /** The subchannel's lock: held around every interrupt and every event that a callback brings. */
  readonly lock: SpinLock;
  readonly hardware: Hardware;
  readonly link: Link;
  readonly fsm: Fsm;
  readonly works: WorkQueue;
  /** The channel subsystem's own queue. */
  readonly slowPath: WorkQueue;
  readonly driver: Atomic<"bound" | "none">;
  readonly crws: CrwList;
  readonly user: User;
  /** How often the subchannel was asked to go. */
  unregistrations = 0;
  readonly #binding: Named = { name: "what css and mdev know of each other" };
  #context: Context | null = null;
  #vfio: VfioDevice | null = null;
  readonly #removal: Named = { name: "progress of the removal" };
  #settled: "yes" | "no" = "no";

  constructor(
    world: World,
    design: Design,
    { clears = "as asked", onUnregister, unpin = async () => {} }: CcwInit = {},
  ) {
    this.world = world;
    this.design = design;
    const { runtime } = world;
    this.lock = new SpinLock(runtime, "subchannel lock");
    this.hardware = new Hardware(world, clears);
    this.link = new Link(world, design, this.lock);
    this.works = new WorkQueue(runtime, "vfio-ccw");
    this.slowPath = new WorkQueue(runtime, "cio");
    this.driver = world.atomic("the subchannel's driver", "none" as "bound" | "none");
    this.crws = new CrwList(world);
    const todo = { name: "unregister", run: async () => onUnregister?.() };
    this.fsm = new Fsm({
      world,
      design,
      hardware: this.hardware,
      lock: this.lock,
      works: this.works,
      unpin,
      unregister: () => {
        this.unregistrations += 1;
        if (onUnregister !== undefined) this.slowPath.queue(todo);
      },
      present: () => runtime.scheduler.spawn("interrupt", () => this.interrupt()),
    });
    this.user = new User(world, design, this.fsm, this);
  }

  /** Null while there is none. */
  get context(): Context | null {
    this.world.reads(this.#binding);
    return this.#context;
  }

  /** The mdev's; null while there is none. */
  get vfio(): VfioDevice | null {
    this.world.reads(this.#binding);
    return this.#vfio;
  }

  // The css driver.

  async cssProbe(): Promise<void> {
    const { design, link, hardware, driver } = this;
    // The bus says so before it asks, and callbacks go by that.
    await driver.store("bound");
    if (design.contextOf === "subchannel") this.#know(this.#createContext(), null);
    await link.publishOuter(this.context);
    if (design.enabledBy === "css probe") hardware.enable();
  }

  async cssRemove(): Promise<void> {
    const { design, link, world, driver } = this;
    if (design.cssRemove === "quiesces first") {
      await this.#quiesce();
      this.crws.freeAll();
      this.#settle();
    }
    if (this.vfio !== null) await this.mdevRemove();
    await link.withdrawOuter();
    const { context } = this;
    if (design.contextOf === "subchannel" && context !== null) {
      if (design.cssRemove === "removes the mdev first") this.crws.freeAll();
      world.free(context);
      this.#know(null, null);
    }
    await driver.store("none");
  }

  // What the channel subsystem calls.

  async interrupt(): Promise<void> {
    const { lock, driver, hardware, link, fsm } = this;
    const guard = await lock.lock();
    // tsch: without a status to collect this is nobody's interrupt.
    if (hardware.takeStatus() === "status") {
      if ((await driver.load()) === "bound") {
        const seen = await link.use<"seen" | "no mdev">("no mdev", async (context) => {
          fsm.interrupt(context);
          return "seen";
        });
        if (seen === "no mdev") hardware.disable();
      }
      fsm.collected();
    }
    guard.release();
  }

  /** @param report what the guest is told; default: nothing */
  async chpEvent(report: () => void = () => {}): Promise<void> {
    const { lock, driver, link } = this;
    const guard = await lock.lock();
    if ((await driver.load()) === "bound") {
      await link.use(undefined, async (context) => {
        context.paths &= 0x7f;
        report();
      });
    }
    guard.release();
  }

  /** The subchannel is looked at again, because something was reported about it. */
  async schEvent(): Promise<void> {
    const { lock, driver, link, hardware, fsm } = this;
    if ((await driver.load()) !== "bound") return;
    const guard = await lock.lock();
    await link.use(undefined, async (context) => {
      if (!hardware.present) await fsm.gone(context);
    });
    guard.release();
  }

  // The mdev's driver.

  async mdevProbe(outcome: "succeeds" | "fails" = "succeeds"): Promise<void> {
    const { design, link, hardware } = this;
    const context = design.contextOf === "mdev" ? this.#createContext() : (this.context as Context);
    const vfio = new VfioDevice(this.world, "vfio device", () => {
      if (design.contextOf === "subchannel") return;
      if (design.cssRemove === "removes the mdev first") this.crws.freeAll();
      this.world.free(context);
    });
    // Where the context outlives the mdev this writes over the vfio device that was there before.
    context.vfio = vfio;
    this.#know(context, vfio);
    await link.publish(context);
    if (outcome === "fails") {
      await this.#withdraw(vfio);
      return;
    }
    if (design.enabledBy === "mdev probe") hardware.enable();
    vfio.register();
  }

  async mdevRemove(): Promise<void> {
    const { design, fsm } = this;
    const vfio = this.vfio as VfioDevice;
    if (design.openFiles === "waited for") await vfio.unregister();
    else {
      const context = this.context as Context;
      await fsm.alone("event", async () => {
        vfio.revoke();
        if (context.state !== "standby") await fsm.close(context);
      });
    }
    if (design.enabledBy === "mdev probe") await this.#quiesce();
    this.#settle();
    await this.#withdraw(vfio);
  }

  /** Whether the removal believes that no channel program will be started any more. */
  get settled(): "yes" | "no" {
    this.world.reads(this.#removal);
    return this.#settled;
  }

  async #withdraw(vfio: VfioDevice): Promise<void> {
    const { design, link, works } = this;
    const context = this.context as Context;
    const { ioWork, goneWork } = context;
    await link.publish(null);
    if (design.work === "cancelled") {
      for (const work of [ioWork, goneWork]) if (work !== null) await works.cancelSync(work);
    }
    this.#know(design.contextOf === "mdev" ? null : context, null);
    vfio.put();
    if (design.removal === "waits for release") await vfio.released.wait();
  }

  async #quiesce(): Promise<void> {
    const guard: Guard | null = await this.fsm.switchOff(await this.lock.lock());
    guard?.release();
  }

  #createContext(): Context {
    const context = allocateContext(this.world);
    const { fsm } = this;
    context.ioWork = { name: "io_work", run: () => fsm.ioWork(context) };
    context.goneWork = {
      name: "gone_work",
      run: () => fsm.alone("event", () => fsm.notOperational(context)),
    };
    return context;
  }

  #know(context: Context | null, vfio: VfioDevice | null): void {
    this.world.writes(this.#binding);
    this.#context = context;
    this.#vfio = vfio;
  }

  #settle(): void {
    this.world.writes(this.#removal);
    this.#settled = "yes";
  }
}
