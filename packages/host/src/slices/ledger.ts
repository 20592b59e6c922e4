/** What the slices of one adapter have claimed of it. To look whether something fits and to enter it is one step. */
import type { Named, Runtime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { type Refusal, refusalMessage } from "../limits.js";
import {
  admissionRefusal,
  availableInstances,
  type Capacity,
  type Claim,
  type Room,
  roomOf,
} from "./admission.js";
import type { SliceDescriptor, SliceType } from "./descriptor.js";
import { memoryGrants } from "./grants.js";

export class AdapterLedger implements Named {
  readonly name: string;
  readonly capacity: Capacity;
  readonly #runtime: Runtime;
  readonly #tell: (slice: string, grantBytes: number) => void;
  readonly #claims = new Map<string, Claim>();
  /** What resizes under way will need beyond what their slices have. */
  readonly #held = new Map<string, Claim>();
  #grants: ReadonlyMap<string, number> = new Map();
  /** "by use": somebody has more than his part by weight, which he uses. */
  #division: "by weight" | "by use" = "by weight";

  /** @param tell called for each slice whose grant is another one from now on */
  constructor(
    runtime: Runtime,
    adapter: string,
    capacity: Capacity,
    tell: (slice: string, grantBytes: number) => void,
  ) {
    this.name = `ledger of ${adapter}`;
    this.#runtime = runtime;
    this.capacity = capacity;
    this.#tell = tell;
  }

  get size(): number {
    this.#access("read");
    return this.#claims.size;
  }

  get room(): Room {
    return roomOf(this.capacity, this.#all());
  }

  available(type: SliceType): number {
    return availableInstances(this.capacity, this.#all(), type);
  }

  /** Why it would not fit, or undefined. */
  refusal(slice: string, descriptor: SliceDescriptor): Refusal | undefined {
    return admissionRefusal(this.capacity, this.#all(), { slice, descriptor, usedBytes: 0 });
  }

  /** In bytes; 0 for what is not entered. */
  grantOf(slice: string): number {
    this.#access("read");
    return this.#grants.get(slice) ?? 0;
  }

  /** @throws HostError limit-reached; nothing has changed then */
  enter(slice: string, descriptor: SliceDescriptor): void {
    refuseFor(this.refusal(slice, descriptor));
    this.#access("write");
    this.#claims.set(slice, { slice, descriptor, usedBytes: 0 });
    this.#regrant();
  }

  /**
   * Makes sure that the slice can become this, and stays so until `settle`.
   * @throws HostError limit-reached; nothing has changed then
   */
  prepare(slice: string, descriptor: SliceDescriptor): void {
    this.#access("write");
    const before = this.#claims.get(slice);
    if (before === undefined) return;
    const { memory, share } = before.descriptor;
    const { reservedBytes, limitBytes } = descriptor.memory;
    if (limitBytes < before.usedBytes) throw tooSmall(slice, limitBytes, before.usedBytes);
    const others = this.#all().filter((claim) => claim !== before);
    refuseFor(admissionRefusal(this.capacity, others, { ...before, descriptor }));
    const more = Math.max(0, reservedBytes - memory.reservedBytes);
    const held: SliceDescriptor = {
      ...descriptor,
      memory: { reservedBytes: more, limitBytes: more },
      share: Math.max(0, Math.round((descriptor.share - share) * 1e6)) / 1e6,
    };
    this.#held.set(slice, { slice: `${slice} to be`, descriptor: held, usedBytes: 0 });
    this.#regrant();
  }

  /** The slice is this from now on; or, without a descriptor, remains what it was. */
  settle(slice: string, descriptor?: SliceDescriptor): void {
    this.#access("write");
    this.#held.delete(slice);
    const before = this.#claims.get(slice);
    if (before !== undefined && descriptor !== undefined) this.#claims.set(slice, { ...before, descriptor });
    this.#regrant();
  }

  /** Without effect for what is not entered. */
  leave(slice: string): void {
    this.#access("write");
    this.#held.delete(slice);
    if (this.#claims.delete(slice)) this.#regrant();
  }

  /** What the slice has allocated now, as its engine says. */
  uses(slice: string, usedBytes: number): void {
    this.#access("write");
    const claim = this.#claims.get(slice);
    if (claim === undefined || claim.usedBytes === usedBytes) return;
    this.#claims.set(slice, { ...claim, usedBytes });
    // Engines tell often; as long as all use less than their part by weight nothing comes of it.
    if (this.#division === "by use" || usedBytes > this.grantOf(slice)) this.#regrant();
  }

  #regrant(): void {
    let held = 0;
    for (const { descriptor } of this.#held.values()) held += descriptor.memory.reservedBytes;
    const before = this.#grants;
    const bytes = this.capacity.memoryBytes - held;
    const claims = [...this.#claims.values()];
    this.#grants = memoryGrants(bytes, claims);
    const fair = memoryGrants(
      bytes,
      claims.map((claim) => ({ ...claim, usedBytes: 0 })),
    );
    const same = claims.every(({ slice }) => fair.get(slice) === this.#grants.get(slice));
    this.#division = same ? "by weight" : "by use";
    for (const [slice, bytes] of this.#grants) if (before.get(slice) !== bytes) this.#tell(slice, bytes);
  }

  #all(): readonly Claim[] {
    this.#access("read");
    return [...this.#claims.values(), ...this.#held.values()];
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}

/** @throws HostError limit-reached */
export function refuseFor(refusal: Refusal | undefined): void {
  if (refusal === undefined) return;
  const { code, ...details } = refusal;
  throw new HostError(code, refusalMessage(refusal), { details });
}

function tooSmall(slice: string, limit: number, used: number): HostError {
  return new HostError(
    "limit-reached",
    `slice ${slice} has ${used} bytes in use, and can't be limited to ${limit}: free some in its guest, or allow as much`,
    {
      details: { slice, rule: "memory.limitBytes", limit, used, wanted: 0, remedy: "free some in its guest" },
    },
  );
}
