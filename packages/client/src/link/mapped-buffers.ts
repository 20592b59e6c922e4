/**
 * The buffers of a device that are mapped or about to be, so that destroying the device ends that. Held weakly: a program may
 * drop a mapped buffer.
 */

/** Ends what is mapped or pending; `why` goes into the AbortError of what is pending. */
export const END_MAPPING: unique symbol = Symbol("endMapping");

export interface Mappable {
  [END_MAPPING](why: string): void;
}

export class MappedBuffers {
  readonly #buffers = new Map<number, WeakRef<Mappable>>();

  add(id: number, buffer: Mappable): void {
    this.#buffers.set(id, new WeakRef(buffer));
  }

  delete(id: number): void {
    this.#buffers.delete(id);
  }

  *[Symbol.iterator](): IterableIterator<Mappable> {
    for (const reference of [...this.#buffers.values()]) {
      const buffer = reference.deref();
      if (buffer !== undefined) yield buffer;
    }
  }
}
