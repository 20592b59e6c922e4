/**
 * What port and node hold of a device: they live as long as the process, the device must not. The link is pinned while a
 * promise waits, because then its settling can still be observed.
 */
export class LinkAnchor<L extends object> {
  readonly #link: WeakRef<L>;
  #pinned: L | undefined;

  constructor(link: L) {
    this.#link = new WeakRef(link);
  }

  /** Undefined when the device was collected. */
  get link(): L | undefined {
    return this.#pinned ?? this.#link.deref();
  }

  pin(): void {
    this.#pinned = this.#link.deref();
  }

  unpin(): void {
    this.#pinned = undefined;
  }
}
