/**
 * How much GPU memory the objects of one device hold. An object counts from its creation until it is destroyed or Dawn's
 * JavaScript object is collected: an object that the application dropped still holds its memory in between.
 */
export class DeviceMemory {
  readonly #collected = new FinalizationRegistry<Holding>((holding) => this.#free(holding));
  readonly #holdings = new WeakMap<object, Holding>();
  #bytes = 0;
  #state: "live" | "cleared" = "live";

  /** Bytes held now, as computed from descriptors: drivers add alignment that nobody reports. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(object: GPUBuffer | GPUTexture | GPUQuerySet, bytes: number): void {
    if (this.#state === "cleared") return;
    const holding: Holding = { bytes };
    this.#bytes += bytes;
    this.#holdings.set(object, holding);
    this.#collected.register(object, holding);
  }

  /** The object was destroyed. @returns bytes that it held until now */
  free(object: object): number {
    const holding = this.#holdings.get(object);
    return holding === undefined ? 0 : this.#free(holding);
  }

  /** What the object still holds. */
  heldBy(object: object): number {
    return this.#holdings.get(object)?.bytes ?? 0;
  }

  /** The device is gone and took everything with it. */
  clear(): void {
    this.#bytes = 0;
    this.#state = "cleared";
  }

  #free(holding: Holding): number {
    const { bytes } = holding;
    if (this.#state === "live") this.#bytes -= bytes;
    holding.bytes = 0;
    return bytes;
  }
}

interface Holding {
  bytes: number;
}
