/**
 * Who slices are projected to, from its creation by the administrator to its removal. Its kernel may come and go; what is
 * projected to it stays, and is offered to each kernel that presents its credential.
 */
import { type Named, type Runtime, Timer } from "parhelion-core";
import { HostError } from "../host-error.js";
import { sameHash } from "../secrets.js";
import type { Projection, SliceHolder } from "../slices/holder.js";
import type { Slice } from "../slices/slice.js";
import type { StoredGuest } from "../store/records.js";
import type { GuestConnection } from "./guest-connection.js";

/** What becomes of a guest whose kernel stays away. */
export interface OrphanPolicy {
  /** In ms, counted while no kernel is connected, from the guest's creation and from the host's start as well. */
  readonly orphanMs: number;
  /** Called when they have passed. Asked again after as long if the guest is still there. */
  readonly orphaned: (guest: Guest) => Promise<void>;
}

export interface GuestInit {
  readonly runtime: Runtime;
  readonly record: StoredGuest;
  readonly directory: string;
  readonly orphans: OrphanPolicy;
}

export class Guest implements SliceHolder {
  /** 8 hex digits. */
  readonly id: string;
  readonly record: StoredGuest;
  readonly directory: string;
  readonly #runtime: Runtime;
  readonly #orphans: OrphanPolicy;
  /** Null for a guest that stays until it is removed. */
  readonly #patience: Timer | null;
  /** Stands for the fields below. */
  readonly #tables: Named;
  readonly #projected = new Set<Slice>();
  #connection: GuestConnection | undefined;
  #state: "present" | "going" = "present";

  constructor(init: GuestInit) {
    const { runtime, record, orphans } = init;
    this.id = record.id;
    this.record = record;
    this.directory = init.directory;
    this.#runtime = runtime;
    this.#tables = { name: `guest ${record.id}` };
    this.#orphans = orphans;
    this.#patience =
      record.lifetime === "kept"
        ? null
        : new Timer(runtime, `patience with guest ${record.id}`, () => this.#orphaned());
  }

  /** For people. */
  get name(): string {
    return this.record.name;
  }

  get state(): "present" | "going" {
    this.#access("read");
    return this.#state;
  }

  get connection(): GuestConnection | undefined {
    this.#access("read");
    return this.#connection;
  }

  get slices(): ReadonlySet<Slice> {
    this.#access("read");
    return this.#projected;
  }

  /** @param hash of a credential, see `hashOf` */
  recognises(hash: string): boolean {
    return sameHash(hash, this.record.credentialHash);
  }

  project(slice: Slice): Projection {
    this.#access("write");
    this.#projected.add(slice);
    this.#connection?.offer(slice);
    return {
      withdraw: (why) => {
        this.#access("write");
        this.#projected.delete(slice);
        this.#connection?.rescind(slice, why);
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
    this.#patience?.cancel();
    this.#connection = connection;
    for (const slice of this.#projected) connection.offer(slice);
  }

  detach(connection: GuestConnection): void {
    this.#access("write");
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.awaitKernel();
  }

  /** From here on the guest's kernel may be away for as long as its lifetime allows. */
  awaitKernel(): void {
    this.#access("read");
    if (this.#state === "present" && this.#connection === undefined)
      this.#patience?.start(this.#orphans.orphanMs);
  }

  /** Refuses kernels from here on. */
  leave(): void {
    this.#access("write");
    this.#state = "going";
    this.#patience?.cancel();
  }

  /** Undoes `leave`. */
  stay(): void {
    this.#access("write");
    this.#state = "present";
    this.awaitKernel();
  }

  async #orphaned(): Promise<void> {
    this.#access("read");
    // A kernel that was faster than this, or somebody who removes it already.
    if (this.#connection !== undefined || this.#state === "going") return;
    await this.#orphans.orphaned(this);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this.#tables, mode);
  }
}
