/**
 * What an engine has to tell one client, in order. Most of it goes straight into the ring; when the client reads more slowly than
 * results come, the rest waits here for room.
 */
import type { Port } from "parhelion-protocol";
import { ProtocolError } from "parhelion-protocol";

/** Writes as much of itself as the ring takes; true when that was all of it. */
export type Parcel = () => boolean;

export class Outbox {
  readonly #port: Port;
  readonly #limit: number;
  #waiting: Parcel[] = [];
  #state: "open" | "closed" = "open";
  #held = 0;
  #unflushed = false;

  /** @param limit how many parcels may wait */
  constructor(port: Port, limit: number) {
    this.#port = port;
    this.#limit = limit;
    port.onWritable(() => this.#drain());
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws ProtocolError `replies-not-read` when the client asked for more than it reads */
  post(parcel: Parcel): void {
    if (this.#state === "closed") return;
    if (this.#waiting.length > 0 || !this.#write(parcel)) {
      if (this.#waiting.length >= this.#limit)
        throw new ProtocolError(
          "replies-not-read",
          `${this.#limit} replies wait for a client that does not read them; read events while issuing commands`,
        );
      this.#waiting.push(parcel);
    }
    this.#flush();
  }

  /** For what nobody asked for, such as uncaptured errors: dropped rather than kept when the client is far behind. */
  offer(parcel: Parcel): void {
    if (this.#waiting.length < this.#limit / 2) this.post(parcel);
  }

  /** Between `hold` and `release` the doorbell is not rung: many replies of one turn wake the client once. */
  hold(): void {
    this.#held++;
  }

  release(): void {
    this.#held--;
    this.#flush();
  }

  close(): void {
    this.#state = "closed";
    this.#waiting = [];
  }

  #write(parcel: Parcel): boolean {
    this.#unflushed = true;
    return parcel();
  }

  #drain(): void {
    let sent = 0;
    while (sent < this.#waiting.length && this.#write(this.#waiting[sent]!)) sent++;
    if (this.#state === "open") this.#waiting.splice(0, sent);
    this.#flush();
  }

  #flush(): void {
    if (this.#held > 0 || !this.#unflushed || this.#state === "closed") return;
    this.#unflushed = false;
    this.#port.tx.flush();
  }
}
