/**
 * The carrier within one process: frames go from one end to the other without bytes in between. Each arrival is a piece of work
 * of its own, so that a scheduler decides when it happens; nothing is left waiting while nothing is on its way.
 */
import { type Runtime, type Work, WorkQueue } from "parhelion-core";
import type { VmbusCarrier, VmbusReceiver } from "./carrier.js";

type Arrival =
  | { readonly kind: "frame"; readonly relid: number; readonly payload: Uint8Array }
  | { readonly kind: "end"; readonly reason: string };

class PipeEnd implements VmbusCarrier {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #arrivals: Arrival[] = [];
  readonly #deliveries: WorkQueue;
  readonly #delivery: Work;
  #other: PipeEnd | null = null;
  #receiver: VmbusReceiver | null = null;
  #state: "open" | "closed" = "open";

  constructor(runtime: Runtime, name: string) {
    this.name = name;
    this.#runtime = runtime;
    this.#deliveries = new WorkQueue(runtime, `deliveries to ${name}`);
    this.#delivery = { name: `delivery to ${name}`, run: () => this.#deliver() };
  }

  join(other: PipeEnd): void {
    this.#other = other;
  }

  receive(receiver: VmbusReceiver): void {
    this.#runtime.scheduler.access(this, "write");
    this.#receiver = receiver;
    this.#next();
  }

  send(relid: number, payload: Uint8Array): void {
    this.#runtime.scheduler.access(this, "read");
    // A copy, as on any other carrier: neither end sees what the other does with its bytes.
    if (this.#state === "open") this.#other?.arrive({ kind: "frame", relid, payload: payload.slice() });
  }

  close(): void {
    if (!this.#finish()) return;
    this.#other?.arrive({ kind: "end", reason: "the other end hung up" });
  }

  cut(): void {
    if (!this.#finish()) return;
    this.#other?.lose("the connection was cut");
  }

  arrive(arrival: Arrival): void {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "open") return;
    this.#arrivals.push(arrival);
    this.#next();
  }

  /** What is on its way here does not arrive any more. */
  lose(reason: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#arrivals.length = 0;
    this.arrive({ kind: "end", reason });
  }

  #finish(): boolean {
    this.#runtime.scheduler.access(this, "write");
    if (this.#state !== "open") return false;
    this.#state = "closed";
    this.#arrivals.length = 0;
    return true;
  }

  #next(): void {
    if (this.#receiver !== null && this.#arrivals.length > 0) this.#deliveries.queue(this.#delivery);
  }

  #deliver(): void {
    this.#runtime.scheduler.access(this, "write");
    const arrival = this.#arrivals.shift();
    if (arrival === undefined || this.#receiver === null) return;
    if (arrival.kind === "frame") this.#receiver.frame(arrival.relid, arrival.payload);
    else {
      this.#finish();
      this.#receiver.ended(new Error(arrival.reason));
    }
    this.#next();
  }
}

export interface VmbusPipe {
  readonly guest: VmbusCarrier;
  readonly host: VmbusCarrier;
  /** Both ends hear that the connection is over, whatever is on its way. */
  cut(): void;
}

/**
 * Both ends of a connection. What is on its way is bounded by what waits for a completion, not by the pipe.
 * @param name for schedules and messages; unique among the pipes of a runtime
 */
export function createVmbusPipe(runtime: Runtime, name: string): VmbusPipe {
  const guest = new PipeEnd(runtime, `guest end of ${name}`);
  const host = new PipeEnd(runtime, `host end of ${name}`);
  guest.join(host);
  host.join(guest);
  return {
    guest,
    host,
    cut() {
      for (const end of [guest, host]) end.lose("the connection was cut");
    },
  };
}
