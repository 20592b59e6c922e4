/**
 * What the drivers of slices do: while one is bound the slice is in somebody's hands, with a generation that nobody had before and
 * an engine that nobody used before. Binding and unbinding by hand, in the tree, change a slice's use like everything else does.
 */
import type { MdevDevice } from "parhelion-buses";
import { KernelError, type Runtime } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import type { HostStore } from "../store/store.js";
import type { Projection, SliceHolder } from "./holder.js";
import type { Slice } from "./slice.js";
import type { SliceEntry, SlicePlace, SliceUse } from "./slice-entry.js";
import { asKernelError } from "./slice-errors.js";
import type { SliceFactory } from "./slice-factory.js";

/** A slice in use. */
export interface Tenure {
  /** Null where it is meant for a guest and has none. */
  readonly slice: Slice | null;
  /** Takes it away, and tells who uses it why. Waits for nobody but this host's own parts. */
  end(why: string): Promise<void>;
}

export interface TenuresOptions {
  readonly runtime: Runtime;
  readonly store: HostStore;
  readonly factory: SliceFactory;
  readonly holderOf: (id: string) => SliceHolder | undefined;
}

export class Tenures {
  readonly #options: TenuresOptions;

  constructor(options: TenuresOptions) {
    this.#options = options;
  }

  /** For the driver of that use. @throws KernelError with a HostError's code as its cause */
  async begin(
    device: MdevDevice<SlicePlace>,
    use: SliceUse,
    take: (place: SlicePlace) => Promise<Tenure>,
  ): Promise<Tenure> {
    const place = device.state;
    const { entry } = place;
    try {
      if (entry.record.use !== use || entry.generation === "spent") {
        const generation = this.#options.store.nextGeneration();
        await entry.change(this.#options.store, (record) => ({ ...record, use, generation }));
      }
      entry.spendGeneration();
      const tenure = await take(place);
      entry.slice = tenure.slice;
      return tenure;
    } catch (error) {
      // Its removal was kept first.
      if (error instanceof HostError && error.code === "uuid-used")
        throw new KernelError("ENODEV", `slice ${entry.uuid} is on its way out`, { cause: error });
      throw asKernelError(error);
    }
  }

  /** For a driver's removal. Never rejects for anything but a bug. */
  async end(device: MdevDevice<SlicePlace>, tenure: Tenure): Promise<void> {
    const place = device.state;
    const { entry, adapter } = place;
    const byHand = entry.place === place && entry.phase === "settled" && device.life.state === "active";
    // Before anybody sees it: a host that is killed now comes back with what this one has shown.
    if (byHand) await this.#keepUnused(entry);
    await tenure.end(entry.leaving ?? `slice ${entry.uuid} was unbound from its guest on the host`);
    if (entry.slice === tenure.slice) entry.slice = null;
    if (entry.place === place) adapter.ledger.uses(entry.uuid, 0);
  }

  /** Shows the slice to the guest that holds it, if one does. */
  async project({ entry, adapter }: SlicePlace): Promise<Tenure> {
    const { record } = entry;
    const holder = record.holder === null ? undefined : this.#options.holderOf(record.holder);
    if (holder === undefined || holder.state === "going") return nobody;
    return this.hand(adapter, record, holder);
  }

  /** @throws HostError socket-path-too-long */
  hand(adapter: SlicePlace["adapter"], record: SliceEntry["record"], holder: SliceHolder): Tenure {
    const { runtime, factory } = this.#options;
    const slice = factory.make(adapter, record, holder.directory);
    const projection: Projection = holder.project(slice);
    const { uuid, generation } = record;
    runtime.log("info", "slice.given", { slice: uuid, generation, adapter: adapter.name, holder: holder.id });
    return {
      slice,
      end: async (why) => {
        // Whoever uses it hears of it before anything is waited for.
        slice.destroyDevices(why, "host");
        projection.withdraw(why);
        await slice.engine.retire("its slice was taken away");
        slice.time?.close();
      },
    };
  }

  async #keepUnused(entry: SliceEntry): Promise<void> {
    try {
      await entry.change(this.#options.store, (record) => ({ ...record, use: null }));
    } catch (error) {
      // It is unbound all the same; the next host binds it again.
      if (error instanceof HostError && error.code === "uuid-used") return;
      this.#options.runtime.log("warn", "slice.use-unkept", { slice: entry.uuid, reason: messageOf(error) });
    }
  }
}

const nobody: Tenure = Object.freeze({ slice: null, end: async () => undefined });
