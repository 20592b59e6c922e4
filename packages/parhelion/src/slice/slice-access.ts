/** What commands ask of a host about its slices and adapters. */
import type { AdapterStatus, SliceStatus, SliceTypeStatus, SliceWish } from "parhelion-host";
import { CommandError } from "../command-error.js";
import { type HostAccess, reachHost } from "../host/host-access.js";

/** What a slice is bound to. */
export type SliceUse = NonNullable<SliceStatus["use"]>;

export interface SliceOrder {
  readonly wish: SliceWish;
  readonly adapter?: string | undefined;
  readonly guest?: string | undefined;
  readonly use?: SliceUse | null;
  readonly uuid?: string | undefined;
}

/** Runs `body` on the host of a state directory. */
export async function withHost<T>(
  state: string | undefined,
  body: (host: HostAccess) => Promise<T>,
): Promise<T> {
  const host = await reachHost({ stateDirectory: state });
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

export class SliceAccess {
  readonly #host: HostAccess;

  constructor(host: HostAccess) {
    this.#host = host;
  }

  types(adapter?: string): Promise<readonly SliceTypeStatus[]> {
    return this.#ask("sliceTypes", { adapter });
  }

  list(): Promise<readonly SliceStatus[]> {
    return this.#ask("sliceList", {});
  }

  create({ wish, ...rest }: SliceOrder): Promise<SliceStatus> {
    return this.#ask("sliceCreate", { ...rest, descriptor: wish });
  }

  show(uuid: string): Promise<SliceStatus> {
    return this.#ask("sliceShow", { uuid });
  }

  resize(uuid: string, changes: SliceWish, generation?: number): Promise<SliceStatus> {
    return this.#ask("sliceResize", { uuid, changes, generation });
  }

  move(
    uuid: string,
    to: { readonly guest?: string | null | undefined; readonly adapter?: string | undefined },
    generation?: number,
  ): Promise<SliceStatus> {
    return this.#ask("sliceMove", { uuid, ...to, generation });
  }

  async remove(uuid: string, generation?: number): Promise<void> {
    await this.#ask("sliceRemove", { uuid, generation });
  }

  adapters(): Promise<readonly AdapterStatus[]> {
    return this.#ask("adapterList", {});
  }

  addAdapter(order: {
    readonly name?: string | undefined;
    readonly adapter?: string | undefined;
    readonly memoryBytes?: number | undefined;
  }): Promise<AdapterStatus> {
    return this.#ask("adapterAdd", order);
  }

  async removeAdapter(name: string): Promise<void> {
    await this.#ask("adapterRemove", { name });
  }

  /** The one slice whose UUID begins so. @throws CommandError slice-unknown, ambiguous-slice */
  async find(start: string): Promise<SliceStatus> {
    const all = await this.list();
    const found = all.filter(({ uuid }) => uuid.startsWith(start.toLowerCase()));
    const [only] = found;
    if (only !== undefined && found.length === 1) return only;
    if (only === undefined)
      throw new CommandError(
        "no-slice",
        `no slice's UUID begins with ${JSON.stringify(start)}`,
        "`parhelion slice ls` lists those that there are",
      );
    throw new CommandError(
      "ambiguous-slice",
      `${found.length} slices' UUIDs begin with ${start}: ${found.map(({ uuid }) => uuid).join(", ")}`,
      "write more of it",
    );
  }

  async #ask<T>(method: string, params: Readonly<Record<string, unknown>>): Promise<T> {
    // JSON leaves out what is undefined.
    return (await this.#host.ask(method, params)) as T;
  }
}
