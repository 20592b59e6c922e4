/**
 * The core of mdev as far as the questions need it: a list of all mdevs, a parent that can be unregistered, and the two
 * files through which mdevs come and go.
 */
import { type ErrnoCode, type Guard, isKernelError, KernelError, Mutex, RwLock } from "parhelion-core";
import type { Pool, World } from "../../../program.js";
import { SysfsFile } from "./sysfs-file.js";
import { VfioDevice } from "./vfio-device.js";

export interface Choices {
  /** Whether remove looks at the mdev before or after it has the parent's lock. */
  readonly looks: "before the lock" | "with the lock";
  /** How create and remove keep the parent's unregistration out; both run inside of a file that it removes. */
  readonly gate: "tries the lock" | "waits for the lock";
  /** What a write to remove does first. */
  readonly removeFile:
    | "removes itself, then looks"
    | "looks, then removes itself"
    | "stays until the mdev goes";
  /** When create makes that file. */
  readonly removeFileComes: "with the device" | "last";
}

export const kernel: Choices = {
  looks: "before the lock",
  gate: "tries the lock",
  removeFile: "removes itself, then looks",
  removeFileComes: "with the device",
};

export interface Mdev {
  readonly uuid: string;
  readonly remove: SysfsFile;
  readonly vfio: VfioDevice;
  /** "reserved": its uuid is taken, and there is no device yet. */
  state: "reserved" | "new" | "active" | "going" | "deleted";
}

export class MdevParent {
  readonly world: World;
  readonly choices: Choices;
  readonly create: SysfsFile;
  readonly instances: Pool;
  readonly #list: Mutex;
  /** Held for reading by create and remove, for writing by unregister. */
  readonly #unregistration: RwLock;
  /** Of the list, and guarded by its lock. */
  readonly #fields: { mdevs: readonly Mdev[] };

  constructor(world: World, choices: Choices = kernel, maxInstances = 1) {
    this.world = world;
    this.choices = choices;
    this.create = new SysfsFile(world, "create");
    this.instances = world.pool("instances", maxInstances);
    this.#list = new Mutex(world.runtime, "mdev list");
    this.#unregistration = new RwLock(world.runtime, "unregistration");
    this.#fields = world.track("mdev list", { mdevs: [] as readonly Mdev[] });
    this.create.create();
  }

  /** All mdevs there are. */
  mdevs(): Promise<readonly Mdev[]> {
    return this.#list.withLock(() => this.#fields.mdevs);
  }

  /** A write to create. @throws KernelError ENODEV, EEXIST, EUSERS */
  createMdev(uuid: string): Promise<Mdev> {
    return this.create.write(async () => {
      const mdev = await this.#reserve(uuid);
      const guard = await this.#keepRegistered();
      if (guard === null) {
        mdev.vfio.put();
        await this.#forget(mdev);
        throw new KernelError("ENODEV", "the parent is being unregistered");
      }
      try {
        await this.#list.withLock(() => {
          mdev.state = "new";
        });
        if (this.choices.removeFileComes === "with the device") mdev.remove.create();
        await this.world.point("announced, not active yet");
        mdev.vfio.register();
        await this.#list.withLock(() => {
          mdev.state = "active";
        });
        if (this.choices.removeFileComes === "last") mdev.remove.create();
        return mdev;
      } finally {
        guard.release();
      }
    });
  }

  /** A write to the mdev's remove. "nothing": somebody else does it. @throws KernelError ENODEV, EAGAIN */
  removeMdev(mdev: Mdev): Promise<"removed" | "nothing"> {
    const { removeFile, looks } = this.choices;
    return mdev.remove.write(async () => {
      if (removeFile === "removes itself, then looks" && mdev.remove.removeSelf() === "lost")
        return "nothing";
      if (looks === "before the lock") await this.#startRemoval(mdev);
      if (removeFile === "looks, then removes itself" && mdev.remove.removeSelf() === "lost")
        return "nothing";
      const guard = await this.#keepRegistered();
      if (guard === null) throw new KernelError("ENODEV", "the parent is being unregistered, and removes it");
      try {
        if (looks === "with the lock") await this.#startRemoval(mdev);
        await this.#delete(mdev);
      } finally {
        guard.release();
      }
      return "removed";
    });
  }

  async unregister(): Promise<void> {
    const guard = await this.#unregistration.write();
    for (const mdev of await this.mdevs()) {
      if (mdev.state !== "reserved") await this.#delete(mdev);
    }
    await this.create.remove();
    guard.release();
  }

  async #keepRegistered(): Promise<Guard | null> {
    return this.choices.gate === "tries the lock"
      ? this.#unregistration.tryRead()
      : this.#unregistration.read();
  }

  #startRemoval(mdev: Mdev): Promise<void> {
    return this.#list.withLock(() => {
      if (mdev.state === "reserved" || mdev.state === "new") {
        throw new KernelError("EAGAIN", `${mdev.uuid} is not there yet`);
      }
      if (mdev.state !== "active") throw new KernelError("ENODEV", `${mdev.uuid} is on its way out`);
      mdev.state = "going";
    });
  }

  /** device_del: takes the file and the users away, and lets the mdev go. */
  async #delete(mdev: Mdev): Promise<void> {
    await mdev.remove.remove();
    await mdev.vfio.unregister();
    const was = await this.#list.withLock(() => {
      const { state } = mdev;
      mdev.state = "deleted";
      return state;
    });
    this.world.expect(was !== "deleted", `${mdev.uuid} is deleted a second time`);
    if (was === "deleted") return;
    await this.#forget(mdev);
    mdev.vfio.put();
  }

  #reserve(uuid: string): Promise<Mdev> {
    return this.#list.withLock(() => {
      if (this.#fields.mdevs.some((mdev) => mdev.uuid === uuid)) {
        throw new KernelError("EEXIST", `there is an mdev ${uuid}`);
      }
      if (!this.instances.take()) throw new KernelError("EUSERS", "the parent is full");
      const mdev: Mdev = {
        uuid,
        remove: new SysfsFile(this.world, `${uuid} remove`),
        vfio: new VfioDevice(this.world, `${uuid} vfio device`),
        state: "reserved",
      };
      this.#fields.mdevs = [...this.#fields.mdevs, mdev];
      return mdev;
    });
  }

  #forget(mdev: Mdev): Promise<void> {
    return this.#list.withLock(() => {
      this.#fields.mdevs = this.#fields.mdevs.filter((other) => other !== mdev);
      this.instances.give();
    });
  }
}

/** How something ended that may be refused. */
export async function answerOf(
  run: () => Promise<unknown>,
  ...refusals: readonly ErrnoCode[]
): Promise<"done" | ErrnoCode> {
  try {
    await run();
    return "done";
  } catch (error) {
    const refusal = refusals.find((code) => isKernelError(error, code));
    if (refusal === undefined) throw error;
    return refusal;
  }
}
