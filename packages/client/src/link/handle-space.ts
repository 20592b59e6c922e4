/**
 * The numbers of one queue's objects. A number is given again only after its `release` record was written: the engine
 * reads records in order, so it never sees a number that is still in use.
 */
import { FIRST_FREE_HANDLE, MAX_OBJECT_ID } from "parhelion-protocol";

export class HandleSpace {
  readonly #limit: number;
  #next = FIRST_FREE_HANDLE;
  readonly #released: number[] = [];

  /** @param limit numbers are below it */
  constructor(limit: number = MAX_OBJECT_ID) {
    this.#limit = limit;
  }

  /** @throws OperationError when the engine keeps no more objects for one device */
  allocate(): number {
    const again = this.#released.pop();
    if (again !== undefined) return again;
    if (this.#next >= this.#limit) {
      throw new DOMException(
        `This device has ${this.#limit} objects that were not collected yet, as many as an engine keeps for one device; ` +
          "drop references to them and let the event loop turn.",
        "OperationError",
      );
    }
    return this.#next++;
  }

  /** Call after the `release` record of `id` was written, or when `id` was never sent. */
  free(id: number): void {
    this.#released.push(id);
  }
}
