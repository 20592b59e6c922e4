/**
 * Carries the queues of guests on other machines: what such a guest's kernel sends on a connection of its own goes to the engine's
 * socket, and back. The host copies bytes and looks into none of them.
 */
import { connect, type Socket } from "node:net";
import type { Runtime } from "parhelion-core";
import type { QueueConnect } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import { limitError } from "../limit-error.js";
import { type HostLimits, refusalOf } from "../limits.js";
import { LogThrottle } from "../log-throttle.js";
import type { Guest } from "./guest.js";

export interface QueueRelayOptions {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly byCredential: (credential: string) => Guest | undefined;
}

export class QueueRelay {
  readonly #options: QueueRelayOptions;
  readonly #refusals: LogThrottle;
  /** Both ends of every queue that is being carried, by guest. */
  readonly #carried = new Map<Guest, Set<Socket>>();

  constructor(options: QueueRelayOptions) {
    this.#options = options;
    this.#refusals = new LogThrottle(options.runtime);
  }

  /** Takes a paused socket over, whose first message was `queue`. */
  accept(socket: Socket, queue: QueueConnect): void {
    try {
      this.#carry(socket, queue);
    } catch (error) {
      const from = socket.remoteAddress;
      this.#refusals.warn("queue.refused", { reason: messageOf(error), from });
      socket.destroy();
    }
  }

  /** Ends every queue of the guest. */
  dropGuest(guest: Guest): void {
    for (const socket of this.#carried.get(guest) ?? []) socket.destroy();
    this.#carried.delete(guest);
  }

  close(): void {
    for (const guest of [...this.#carried.keys()]) this.dropGuest(guest);
  }

  /** @throws HostError guest-unknown, bad-request, limit-reached */
  #carry(remote: Socket, { token, credential, slice: named, generation }: QueueConnect): void {
    const guest = this.#options.byCredential(credential);
    if (guest === undefined) throw new HostError("guest-unknown", "the credential is no guest's");
    // Once only, and only what this guest's own slices handed out.
    const slice = [...guest.slices].find((each) => each.forgetToken(token));
    if (slice !== undefined && generation !== 0n)
      if (slice.uuid !== named || BigInt(slice.generation) !== generation)
        throw new HostError("slice-stale", `the queue is of another generation of slice ${named}`);
    if (slice === undefined)
      throw new HostError("bad-request", `guest ${guest.id} has no queue with this token`);
    const carried = this.#carried.get(guest) ?? new Set<Socket>();
    // Two sockets a queue.
    const refusal = refusalOf(this.#options.limits, guest.id, "remoteQueuesPerGuest", carried.size / 2, 1);
    // Nobody can be told here; CREATEHWQUEUE has said no before, unless a queue outlives its end by a moment.
    if (refusal !== undefined) throw limitError(refusal);
    this.#carried.set(guest, carried);
    const engine = connect(slice.queuePath);
    for (const [from, to] of [
      [remote, engine],
      [engine, remote],
    ] as const) {
      carried.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        carried.delete(from);
        // What this end sent before it closed still arrives.
        to.destroySoon();
      });
    }
    remote.pipe(engine);
    engine.pipe(remote);
  }
}
