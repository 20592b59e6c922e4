/**
 * A device's attributes: small values by name, read by whoever finds the device. Removal waits until running reads
 * have ended, so a read never meets a device that is being taken apart.
 */
import { KernelError } from "./error.js";
import { noDeadline, type Runtime, type WaitOptions } from "./runtime.js";
import { call, invoke } from "./sync/call.js";
import type { Named } from "./sync/scheduler.js";
import { WaitQueue } from "./sync/wait-queue.js";

export interface Attribute<D = unknown> {
  readonly name: string;
  /** The value as text, by convention ended by a newline. Must not remove the device it is asked about. */
  show?(device: D): string | Promise<string>;
}

export class AttributeSet implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #attributes: ReadonlyMap<string, Attribute>;
  readonly #idle: WaitQueue;
  #state: "hidden" | "visible" | "removed" = "hidden";
  #running = 0;

  constructor(runtime: Runtime, owner: string, attributes: readonly Attribute[]) {
    this.#runtime = runtime;
    this.name = `attributes of ${owner}`;
    this.#attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
    this.#idle = new WaitQueue(runtime, `${this.name} idle`);
  }

  list(): readonly string[] {
    return this.#state === "visible" ? [...this.#attributes.keys()] : [];
  }

  /** See `Device.readAttribute`. */
  async read(name: string, device: unknown, options?: WaitOptions): Promise<string> {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "visible")
      throw new KernelError("ENODEV", `${this.name}: the device is not registered`);
    const attribute = this.#attributes.get(name);
    if (attribute === undefined) throw new KernelError("ENOENT", `${this.name}: there is no ${name}`);
    const { show } = attribute;
    if (show === undefined) throw new KernelError("EIO", `${this.name}: ${name} can't be read`);
    this.#running += 1;
    return call(
      this.#runtime,
      `show ${name} of ${this.name}`,
      async () => {
        try {
          return await invoke(this.#runtime, "attribute.show", this, () => show.call(attribute, device));
        } finally {
          this.#running -= 1;
          this.#idle.wake();
        }
      },
      options,
    );
  }

  publish(): void {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "visible";
  }

  /** Refuses new reads and waits, as long as it takes, for the running ones. */
  async remove(): Promise<void> {
    this.#runtime.scheduler.access(this, "write");
    this.#state = "removed";
    await this.#idle.wait(() => this.#running === 0, { deadline: noDeadline });
  }
}
