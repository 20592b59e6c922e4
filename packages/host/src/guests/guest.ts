/**
 * Who slices are projected to, from its creation by the administrator to its removal. Its kernel may come and go; what is
 * projected to it stays, and is offered to each kernel that presents its credential.
 */
import type { Named, Runtime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { sameSecret } from "../secrets.js";
import type { Slice } from "../slices/slice.js";
import type { Audience, Projection } from "../slices/slice-device.js";
import type { GuestConnection } from "./guest-connection.js";

export interface GuestInit {
  readonly runtime: Runtime;
  /** 8 hex digits. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly directory: string;
  readonly credential: string;
}

export class Guest implements Audience {
  readonly id: string;
  readonly name: string;
  readonly directory: string;
  readonly #credential: string;
  readonly #runtime: Runtime;
  /** Stands for the fields below. */
  readonly #tables: Named;
  readonly #projected = new Set<Slice>();
  #connection: GuestConnection | undefined;
  #state: "present" | "going" = "present";

  constructor(init: GuestInit) {
    this.id = init.id;
    this.#runtime = init.runtime;
    this.#tables = { name: `guest ${init.id}` };
    this.name = init.name;
    this.directory = init.directory;
    this.#credential = init.credential;
  }

  get connection(): GuestConnection | undefined {
    this.#access("read");
    return this.#connection;
  }

  get slices(): ReadonlySet<Slice> {
    this.#access("read");
    return this.#projected;
  }

  recognises(credential: string): boolean {
    return sameSecret(credential, this.#credential);
  }

  project(slice: Slice): Projection {
    this.#access("write");
    this.#projected.add(slice);
    this.#connection?.offer(slice);
    return {
      withdraw: () => {
        this.#access("write");
        this.#projected.delete(slice);
        this.#connection?.rescind(slice, "the host took the slice away");
      },
    };
  }

  /**
   * One kernel at a time: a second one would be offered what the first one uses.
   * @throws HostError guest-connected, host-stopping
   */
  assertFree(): void {
    this.#access("read");
    if (this.#state === "going") throw new HostError("host-stopping", `guest ${this.id} is being removed`);
    if (this.#connection !== undefined) {
      throw new HostError(
        "guest-connected",
        `a kernel is connected for guest ${this.id} already; end it first, or create another guest`,
      );
    }
  }

  /** @throws HostError guest-connected, host-stopping */
  attach(connection: GuestConnection): void {
    this.assertFree();
    this.#access("write");
    this.#connection = connection;
    for (const slice of this.#projected) connection.offer(slice);
  }

  detach(connection: GuestConnection): void {
    this.#access("write");
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Refuses kernels from here on. */
  leave(): void {
    this.#access("write");
    this.#state = "going";
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#tables, mode);
  }
}
