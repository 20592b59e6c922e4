/** The adapters that slices can be made on, as parents of mediated devices: their types are in the tree. */
import type { MdevBus, MdevDevice, MdevParent, MdevRequest, MdevType } from "parhelion-buses";
import { type Device, type Driver, isKernelError, KernelError, type Named, noDeadline } from "parhelion-core";
import type { AdapterDevice } from "../adapters/adapter-device.js";
import { HostError } from "../host-error.js";
import { describeSlice, fixedShares, type SliceType, type SliceWish, sliceTypes } from "./descriptor.js";
import { refuseFor } from "./ledger.js";
import { sliceUses } from "./slice-drivers.js";
import type { SlicePlace, SliceRecord, SliceUse } from "./slice-entry.js";

export interface SliceMaker {
  /** Somebody has written to a type's `create` in the tree. @throws KernelError */
  make(adapter: AdapterDevice, request: MdevRequest<SlicePlace>): Promise<SlicePlace>;
  /** Somebody has written to its `remove` in the tree. @throws KernelError: nothing has happened */
  remove(place: SlicePlace): Promise<void>;
  /** The last reference to the device at this place has gone. */
  released(place: SlicePlace): void;
}

type Parent = MdevParent<SlicePlace, SlicePlace>;

/** What the names of the types' directories start with. */
const driverName = "parhelion";

const unbounded = { deadline: noDeadline };

export class SliceAdapters implements Named {
  readonly name = "adapters of slices";
  readonly #mdev: MdevBus;
  readonly #maker: SliceMaker;
  /** By name, in the order in which they came. */
  readonly #parents = new Map<string, { readonly adapter: AdapterDevice; readonly parent: Parent }>();

  constructor(mdev: MdevBus, maker: SliceMaker) {
    this.#mdev = mdev;
    this.#maker = maker;
  }

  values(): readonly AdapterDevice[] {
    this.#access("read");
    return [...this.#parents.values()].map(({ adapter }) => adapter);
  }

  /** @throws HostError adapter-unknown */
  present(name: string): AdapterDevice {
    this.#access("read");
    const found = this.#parents.get(name);
    if (found !== undefined) return found.adapter;
    const names = [...this.#parents.keys()].join(", ");
    throw new HostError("adapter-unknown", `there is no adapter ${name}.`, {
      details: { adapter: name },
      remedy: names === "" ? "There is none at all." : `There is ${names}.`,
    });
  }

  /**
   * Where to make such a slice: on the adapter of that name, else on the one with the fewest slices of those that have room.
   * @throws HostError adapter-unknown, adapter-gone, bad-descriptor; limit-reached where it fits on none
   */
  choose(slice: string, wish: SliceWish, name?: string): AdapterDevice {
    const candidates = name === undefined ? this.values() : [this.present(name)];
    const [first] = candidates;
    if (first === undefined)
      throw new HostError("adapter-gone", "the host has no adapter now.", { remedy: "Add one." });
    const refusalOn = ({ ledger }: AdapterDevice) =>
      ledger.refusal(slice, describeSlice(wish, ledger.capacity.memoryBytes));
    let best: AdapterDevice | undefined;
    for (const adapter of candidates)
      if (refusalOn(adapter) === undefined && (best === undefined || adapter.ledger.size < best.ledger.size))
        best = adapter;
    if (best !== undefined) return best;
    refuseFor(refusalOn(first));
    return first;
  }

  offer(adapter: AdapterDevice): void {
    const { ledger } = adapter;
    const parent = this.#mdev.registerParent<SlicePlace, SlicePlace>(adapter, {
      driverName,
      types: sliceTypes.map((type) => mdevType(type, ledger.capacity.memoryBytes)),
      uses: sliceUses,
      available: { policy: "computed", of: ({ name }) => ledger.available(name as SliceType) },
      groups: [{ attributes: sliceAttributes }],
      create: (request) => request.options ?? this.#maker.make(adapter, request),
      remove: ({ state }) => this.#maker.remove(state),
      release: (place) => this.#maker.released(place),
    });
    this.#access("write");
    this.#parents.set(adapter.name, { adapter, parent });
  }

  /** Returns when every slice's device has gone. */
  async withdraw(adapter: AdapterDevice): Promise<void> {
    this.#access("write");
    const found = this.#parents.get(adapter.name);
    if (found?.adapter !== adapter) return;
    this.#parents.delete(adapter.name);
    await found.parent.unregister(unbounded);
  }

  /** @throws KernelError as `MdevParent.create` */
  async make(place: SlicePlace, { uuid, descriptor, use }: SliceRecord): Promise<void> {
    const parent = this.#parentOf(place);
    if (parent === undefined) throw new KernelError("ENODEV", `${place.adapter.name} is not there any more`);
    await parent.create(descriptor.type, uuid, { use, options: place, ...unbounded });
  }

  /** Returns when the slice's device has gone, whoever removes it. */
  async remove(place: SlicePlace): Promise<void> {
    const device = this.deviceAt(place);
    if (device === undefined) return;
    device.get();
    try {
      await this.#mdev.remove(device.uuid, unbounded);
    } catch (error) {
      if (!isKernelError(error, "ENODEV")) throw error;
      await device.removed.wait(unbounded);
    } finally {
      device.put();
    }
  }

  /** Ends the binding that there is and begins another one. @throws KernelError as `System.attach` */
  async rebind(place: SlicePlace, use: SliceUse): Promise<void> {
    const device = this.deviceAt(place);
    const driver = this.#mdev.system.findDriver(this.#mdev.bus as never, use);
    if (device === undefined || driver === undefined)
      throw new KernelError("ENODEV", `slice ${place.entry.uuid} is not in the tree`);
    device.get();
    try {
      await this.#mdev.system.detach(device, undefined, unbounded);
      await this.#attach(device, driver);
    } finally {
      device.put();
    }
  }

  deviceAt(place: SlicePlace): MdevDevice<SlicePlace> | undefined {
    const device = this.#mdev.find(place.entry.uuid) as MdevDevice<SlicePlace> | undefined;
    return device?.state === place ? device : undefined;
  }

  async #attach(device: Device, driver: Driver): Promise<void> {
    try {
      await this.#mdev.system.attach(device, driver, unbounded);
    } catch (error) {
      // Somebody was faster, by hand, with the same.
      if (!(isKernelError(error, "EBUSY") && device.bound && device.peekDriver() === driver)) throw error;
    }
  }

  #parentOf({ adapter }: SlicePlace): Parent | undefined {
    this.#access("read");
    const found = this.#parents.get(adapter.name);
    return found?.adapter === adapter ? found.parent : undefined;
  }

  #access(mode: "read" | "write"): void {
    this.#mdev.system.runtime.scheduler.access(this, mode);
  }
}

const sliceAttributes = [
  { name: "type", show: ({ state }: MdevDevice<SlicePlace>) => `${state.entry.record.descriptor.type}\n` },
  { name: "generation", show: ({ state }: MdevDevice<SlicePlace>) => `${state.entry.record.generation}\n` },
  { name: "holder", show: ({ state }: MdevDevice<SlicePlace>) => `${state.entry.record.holder ?? ""}\n` },
  {
    name: "engine",
    show: ({ state }: MdevDevice<SlicePlace>) => `${state.entry.slice?.engine.status.state ?? "none"}\n`,
  },
  {
    name: "memory_granted",
    show: ({ state }: MdevDevice<SlicePlace>) => `${state.adapter.ledger.grantOf(state.entry.uuid)}\n`,
  },
  {
    name: "memory_used",
    show: ({ state }: MdevDevice<SlicePlace>) => `${state.entry.slice?.memory.usedBytes ?? 0}\n`,
  },
];

function mdevType(type: SliceType, capacityBytes: number): MdevType {
  return { name: type, deviceApi: "parhelion-dxg", description: describeType(type, capacityBytes) };
}

export function describeType(type: SliceType, capacityBytes: number): string {
  if (type === "custom") return "memory and share as its descriptor says";
  const { memory, share } = describeSlice({ type }, capacityBytes);
  if (fixedShares[type] === undefined) return `up to ${memory.limitBytes} bytes, of what the others leave`;
  return `${memory.reservedBytes} bytes and a share of ${share}, reserved`;
}
