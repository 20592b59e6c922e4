/** Lets guest kernels in: one at a time for each guest, and only with that guest's credential. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type BootClock, Heartbeat, systemBootClock, type VmbusCarrier, VmbusHost } from "parhelion-buses";
import { type Runtime, WaitQueue } from "parhelion-core";
import { Newcomers, VmbusFeature, vmbusFeatures } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import type { HostLimits } from "../limits.js";
import { LogThrottle } from "../log-throttle.js";
import type { Secrets } from "../secrets.js";
import type { Guest } from "./guest.js";
import { GuestConnection } from "./guest-connection.js";
import type { GuestReach } from "./guest-listener.js";
import type { QueueRelay } from "./queue-relay.js";

/** How long a kernel may take to present its credential, in ms. */
const contactMs = 10_000;
/** How long connections may take to end when the host stops, in ms; a little more than a link lingers. */
const farewellMs = 1500;

/** Connections that have not presented a credential, or a wrong one, on each way in. */
const maxStrangers = 256;

export interface KernelDoorOptions {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly byCredential: (credential: string) => Guest | undefined;
  readonly relay: QueueRelay;
  /** Default: the system's. */
  readonly bootClock?: BootClock;
}

/** Who is at the door. */
export interface Visitor {
  readonly reach: GuestReach;
  /** Address, for messages; undefined on this machine. */
  readonly from: string | undefined;
  /** Called when the credential is a guest's. */
  known(): void;
}

export class KernelDoor {
  readonly #options: KernelDoorOptions;
  readonly #sockets = new Set<Socket>();
  readonly #left: WaitQueue;
  readonly #strangers: Readonly<Record<GuestReach, Newcomers>> = {
    local: new Newcomers(maxStrangers),
    remote: new Newcomers(maxStrangers),
  };
  readonly #refusals: Readonly<Record<GuestReach, LogThrottle>>;
  /** Those who left without a word: they use up nothing of what is told of refusals. */
  readonly #silent: Readonly<Record<GuestReach, LogThrottle>>;

  constructor(options: KernelDoorOptions) {
    this.#options = options;
    const { runtime } = options;
    this.#left = new WaitQueue(runtime, "kernels to leave");
    this.#refusals = { local: new LogThrottle(runtime), remote: new LogThrottle(runtime) };
    this.#silent = { local: new LogThrottle(runtime), remote: new LogThrottle(runtime) };
  }

  /** Takes over a paused socket whose first frame is VMBus's. */
  admit(socket: Socket, reach: GuestReach): void {
    this.#strangers[reach].add(socket);
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#left.wake();
    });
    const visitor: Visitor = {
      reach,
      from: socket.remoteAddress,
      known: () => this.#strangers[reach].known(socket),
    };
    this.#options.runtime.scheduler.spawn("meeting with a kernel", () => this.meet(socket, visitor));
  }

  /** Attaches the kernel at the other end to its guest, or closes the connection. Never rejects. */
  async meet(connection: Duplex | VmbusCarrier, visitor: Visitor): Promise<void> {
    try {
      await this.#meet(connection, visitor);
    } catch (error) {
      const { reach, from } = visitor;
      const fields = { reach, from, reason: messageOf(error) };
      // Who came without a credential was not refused.
      if (error instanceof HostError) this.#refusals[reach].warn("guest.refused", fields);
      else this.#silent[reach].tell("info", "guest.not-met", fields);
    }
  }

  /** Waits until every connection has ended; a peer that does not read its last bytes is cut off. */
  async close(): Promise<void> {
    const { clock } = this.#options.runtime;
    try {
      await this.#left.wait(() => this.#sockets.size === 0, { deadline: clock.now() + farewellMs });
    } catch {
      // Those that are left are cut off.
    }
    for (const socket of this.#sockets) socket.destroy();
  }

  /**
   * A kernel that comes while the guest has one may be the same, whose machine slept or whose cable was cut: then the one that
   * is known does not answer, and it is let in when it tries again.
   * @throws HostError guest-connected, host-stopping
   */
  #admit(guest: Guest): void {
    try {
      guest.assertFree();
    } catch (error) {
      guest.connection?.checkNow();
      throw error;
    }
  }

  async #meet(stream: Duplex | VmbusCarrier, visitor: Visitor): Promise<void> {
    const { reach, from } = visitor;
    const { runtime, limits, secrets, relay, byCredential } = this.#options;
    let guest: Guest | undefined;
    const vmbus = await VmbusHost.accept(
      stream,
      {
        runtime,
        peer: reach === "local" ? "a local guest" : `the guest at ${from}`,
        authorize: ({ credential }) => {
          guest = byCredential(credential);
          if (guest === undefined)
            throw new HostError(
              "guest-unknown",
              "the credential is no guest's: it was mistyped, or its guest was removed",
            );
          this.#admit(guest);
          return vmbusFeatures;
        },
      },
      { deadline: runtime.clock.now() + contactMs },
    );
    visitor.known();
    const known = guest as Guest;
    const connection = new GuestConnection({ runtime, limits, secrets, vmbus, guest: known.id, reach });
    try {
      known.attach(connection);
    } catch (error) {
      connection.close(messageOf(error));
      throw error;
    }
    connection.onClose(() => {
      known.detach(connection);
      relay.dropGuest(known);
    });
    // A pipe within this process can't lose its other end unnoticed.
    if (!("cut" in stream) && (vmbus.features & VmbusFeature.HEARTBEAT) !== 0n)
      new Heartbeat(runtime, this.#options.bootClock ?? systemBootClock, vmbus).start();
    runtime.log("info", "guest.connected", { guest: known.id, reach });
  }
}
