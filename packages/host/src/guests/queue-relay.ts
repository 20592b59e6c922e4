/**
 * Carries the queues of guests on other machines: what such a guest's kernel sends on a connection of its own goes to the engine's
 * socket, and back. The host copies bytes and looks into none but the first message.
 */
import { connect, type Socket } from "node:net";
import type { Runtime } from "parhelion-core";
import { controlFrames, decodeFrame, queueMessage } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";
import type { HostLimits } from "../limits.js";
import type { Guest } from "./guest.js";

/** How long the first message may take once it has begun, in ms. */
const firstMessageMs = 10_000;

export interface QueueRelayOptions {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly byCredential: (credential: string) => Guest | undefined;
}

export class QueueRelay {
  readonly #options: QueueRelayOptions;
  /** Both ends of every queue that is being carried, by guest. */
  readonly #carried = new Map<Guest, Set<Socket>>();

  constructor(options: QueueRelayOptions) {
    this.#options = options;
  }

  /** Takes a paused socket over whose first message is queueMessage.connect. */
  accept(socket: Socket): void {
    const frames = controlFrames();
    const { clock } = this.#options.runtime;
    const timer = clock.setTimer(firstMessageMs, () => socket.destroy());
    const take = (chunk: Buffer) => {
      try {
        frames.push(chunk);
        const frame = frames.next();
        if (frame === null) return;
        timer.cancel();
        socket.off("data", take);
        socket.pause();
        const { type, body } = decodeFrame(frame);
        if (type !== queueMessage.connect.type)
          throw new HostError("bad-request", `message 0x${type.toString(16)}`);
        this.#carry(socket, queueMessage.connect.body.decode(body), frames.rest());
      } catch (error) {
        timer.cancel();
        this.#options.runtime.log("warn", "queue.refused", {
          reason: messageOf(error),
          from: socket.remoteAddress,
        });
        socket.destroy();
      }
    };
    socket.on("data", take);
    socket.on("close", () => timer.cancel());
    socket.resume();
  }

  /** Ends every queue of the guest. */
  dropGuest(guest: Guest): void {
    for (const socket of this.#carried.get(guest) ?? []) socket.destroy();
    this.#carried.delete(guest);
  }

  close(): void {
    for (const guest of [...this.#carried.keys()]) this.dropGuest(guest);
  }

  #carry(
    remote: Socket,
    { token, credential }: { readonly token: string; readonly credential: string },
    rest: Uint8Array,
  ): void {
    const guest = this.#options.byCredential(credential);
    if (guest === undefined) throw new HostError("guest-unknown", "the credential is no guest's");
    // Once only, and only what this guest's own slices handed out.
    const slice = [...guest.slices].find((each) => each.forgetToken(token));
    if (slice === undefined)
      throw new HostError("bad-request", `guest ${guest.id} has no queue with this token`);
    const carried = this.#carried.get(guest) ?? new Set<Socket>();
    const limit = this.#options.limits.remoteQueuesPerGuest;
    // Two sockets a queue.
    if (carried.size >= 2 * limit) throw new HostError("limit-reached", `remoteQueuesPerGuest is ${limit}`);
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
    engine.write(rest);
    remote.pipe(engine);
    engine.pipe(remote);
  }
}
