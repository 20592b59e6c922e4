/** What really happens, beside what should: a device that is an mdev, or of a driver's own making. */
import assert from "node:assert/strict";
import { MdevBus, type MdevParent } from "parhelion-buses";
import { type Bus, Device, type Driver, isKernelError, KernelError } from "parhelion-core";
import {
  type ContainerFile,
  createVfioMdevDriver,
  type DeviceFile,
  type EventCounter,
  type GroupFile,
  type IommufdFile,
  iommufdCall,
  MigrationFlag,
  type PinnedRange,
  type VfioDevice,
  type VfioDeviceOps,
  vfioDeviceOf,
} from "../index.js";
import { openContainer, openIommufd, type Rig, rig, Toy, toyBus } from "../toy.test.fixture.js";
import { ReferenceDevice } from "./reference.test.fixture.js";
import { kinds, type Listener } from "./reference-irqs.test.fixture.js";
import { pageBytes, pages } from "./reference-space.test.fixture.js";

const uuid = "00000000-0000-4000-8000-000000000001";

/** How a device can go. */
export const removals = [
  "unregistered",
  "mdev removed",
  "parent unregistered",
  "unbound",
  "driver gone",
] as const;
export type Removal = (typeof removals)[number];

export class Both {
  readonly model = new ReferenceDevice();
  readonly memory = new Uint8Array(2 * pages * pageBytes);
  readonly toy: Toy;
  readonly rig: Rig;
  readonly device: VfioDevice;
  readonly container: ContainerFile;
  readonly iommufd: IommufdFile;
  readonly ioasId: number;
  readonly files: DeviceFile[] = [];
  readonly pins: PinnedRange[] = [];
  readonly listeners: { readonly counter: EventCounter; readonly listener: Listener }[] = [];
  group: GroupFile | null = null;
  own: DeviceFile | null = null;
  readonly #remove: () => Promise<void>;
  readonly #end: () => Promise<void>;

  private constructor(made: Made, container: ContainerFile, iommufd: IommufdFile, ioasId: number) {
    this.rig = made.rig;
    this.toy = made.toy;
    this.device = made.device;
    made.driver.breaks = () => this.model.breaks;
    this.#remove = made.remove;
    this.#end = made.end;
    this.container = container;
    this.iommufd = iommufd;
    this.ioasId = ioasId;
  }

  static async make(removal: Removal): Promise<Both> {
    const made = await (removal === "unregistered" ? plain() : mediated(removal));
    const { system } = made.rig;
    const iommufd = await openIommufd(system);
    const { ioasId } = await iommufdCall(iommufd, "IOAS_ALLOC", { flags: 0 });
    return new Both(made, await openContainer(system), iommufd, ioasId);
  }

  /** What GET_DEVICE_FD calls it. */
  get name(): string {
    return this.device.subject;
  }

  /** A file that calls go to, and what they all answer, if they do. */
  get file(): { readonly file: DeviceFile; readonly answer: "EINVAL" | "ENODEV" | null } | null {
    const file = this.files.at(-1) ?? this.own;
    if (file === null) return null;
    if (!this.model.present) return { file, answer: "ENODEV" };
    return { file, answer: this.files.length > 0 || this.model.own === "bound" ? null : "EINVAL" };
  }

  async remove(): Promise<void> {
    await this.#remove();
    this.model.remove();
  }

  /** What can be seen without a call. */
  compare(): void {
    const { model, device } = this;
    assert.equal(device.openCount, model.opens);
    for (const { counter, listener } of this.listeners) {
      assert.deepEqual(
        [counter.count, counter.state],
        [listener.told, listener.held ? "held" : "released"],
        counter.name,
      );
    }
    assert.deepEqual(
      this.pins.map(({ state }) => state),
      model.pins.map(({ state }) => state),
    );
    if (model.opens > 0) assert.equal(device.migration?.state, model.migration);
  }

  async end(): Promise<void> {
    for (const file of this.files) await file.close();
    await this.group?.close();
    await this.own?.close();
    await this.container.close();
    await this.iommufd.close();
    if (this.model.present) await this.#remove();
    await this.#end();
    const { trace } = this.toy;
    const count = (what: string): number => trace.filter((line) => line === what).length;
    assert.equal(count("open"), count("close"));
    assert.equal(trace.at(-1), "release");
    assert.equal(count("release"), 1);
    for (const { counter } of this.listeners) assert.equal(counter.state, "released", counter.name);
  }
}

/** @returns its value, "ok" where that is nothing, or how it was refused */
export async function answerOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await run()) ?? "ok";
  } catch (error) {
    if (isKernelError(error)) return error.code;
    throw error;
  }
}

interface Made {
  readonly rig: Rig;
  readonly toy: Toy;
  readonly device: VfioDevice;
  readonly driver: { breaks(): boolean };
  remove(): Promise<void>;
  end(): Promise<void>;
}

function parts(driver: Made["driver"]): Partial<VfioDeviceOps> {
  return {
    irqs: () => kinds,
    migration: {
      flags: MigrationFlag.STOP_COPY,
      step({ to }) {
        if (driver.breaks()) throw new KernelError("EIO", "it breaks");
        return to === "STOP_COPY" || to === "RESUMING" ? {} : undefined;
      },
    },
  };
}

async function plain(): Promise<Made> {
  const r = await rig({ revokeMs: 0 });
  const toy = new Toy();
  const driver = { breaks: () => false };
  const device = await r.registered(toy, { iommu: "emulated" }, parts(driver));
  return { rig: r, toy, device, driver, remove: () => r.gone(device), end: () => r.end() };
}

async function mediated(removal: Removal): Promise<Made> {
  const r = await rig({ revokeMs: 0 });
  const { system } = r;
  const toy = new Toy();
  const driver = { breaks: () => false };
  const bus = new MdevBus(system);
  const vfioDriver = createVfioMdevDriver<string>(r.vfio, {
    name: "vfio",
    bus: bus.bus as Bus,
    device: () => ({ ops: () => toy.ops(parts(driver)) }),
  }) as Driver;
  await system.registerDriver(vfioDriver);
  const above = new Device(r.runtime, { name: "above", bus: toyBus });
  await system.addDevice(above);
  const parent: MdevParent<string> = bus.registerParent<string>(above, {
    driverName: "toy",
    types: [{ name: "full", deviceApi: "vfio-pci" }],
    uses: ["vfio"],
    available: { policy: "counter", instances: 1 },
    create: () => "state",
  });
  const mdev = await parent.create("full", uuid);
  const device = vfioDeviceOf(mdev);
  if (device === undefined) throw new Error("no device was made of the mdev");
  return {
    rig: r,
    toy,
    device,
    driver,
    async remove() {
      if (removal === "mdev removed") await bus.remove(uuid);
      else if (removal === "parent unregistered") await parent.unregister();
      else if (removal === "unbound") await system.detach(mdev);
      else await system.unregisterDriver(vfioDriver);
    },
    async end() {
      if (removal !== "parent unregistered") await parent.unregister();
      if (removal !== "driver gone") await system.unregisterDriver(vfioDriver);
      await bus.unregister();
      await system.unregisterDevice(above);
      await r.end();
    },
  };
}
