/**
 * Both ends in one process and one memory; the doorbell is a call from the event loop. A `begin` that finds the ring full runs the
 * other end's readable listener on the spot, because nobody else could.
 */
import { BasePort } from "./base-port.js";
import { PortClosedError, PortStalledError } from "./errors.js";
import type { Port } from "./port.js";
import { allocateRing, checkGeometry, inProcessGeometry, type QueueGeometry } from "./ring-layout.js";
import { type CarrierRuntime, createPlatformRuntime } from "./runtime.js";

export interface InProcessOptions {
  /** Default: 8 MiB each way. */
  readonly geometry?: QueueGeometry;
  readonly runtime?: CarrierRuntime;
}

class InProcessPort extends BasePort {
  readonly carrier = "in-process";
  #peer: InProcessPort | undefined;
  /** Whether the reader, or the writer, waits to be called. */
  #reader: "awake" | "asleep" = "asleep";
  #writer: "awake" | "asleep" = "awake";
  #release: (() => void) | undefined;

  join(peer: InProcessPort): void {
    this.#peer = peer;
  }

  override ref(): void {
    if (this.state === "open") this.#release ??= this.runtime.keepAlive();
  }

  override unref(): void {
    this.#release?.();
    this.#release = undefined;
  }

  override published(): void {
    const peer = this.#peer;
    if (peer === undefined || peer.#reader === "awake") return;
    peer.#reader = "awake";
    peer.scheduleReadable();
  }

  override padded(): void {}

  /** What is published here is known at once. */
  protected override notice(): void {}

  override drained(): void {
    this.#reader = "asleep";
    if (this.rx.hasNews()) {
      this.#reader = "awake";
      this.scheduleReadable();
    }
  }

  override released(): void {
    const peer = this.#peer;
    if (peer === undefined || peer.#writer === "awake") return;
    peer.#writer = "awake";
    peer.scheduleWritable();
  }

  override starved(): void {
    this.#writer = "asleep";
  }

  override block(waited: number): void {
    const peer = this.#peer;
    if (peer === undefined || !peer.hasReadableListener || peer.isReading || waited > 0)
      throw new PortStalledError(
        "cannot-wait",
        `the ring of ${this.tx.capacity} bytes is full and its reader, on this same thread, ${
          peer?.isReading ? "is what called" : "takes nothing"
        }; use tryBegin and onWritable there`,
      );
    try {
      peer.runReadable();
    } catch (error) {
      // The other end's mistake is not this caller's: report it from the event loop, as for any other call of that listener.
      this.runtime.defer(() => {
        throw error;
      });
    }
    peer.rx.release();
  }

  override close(reason?: Error): void {
    super.close(reason);
    this.#peer?.peerClosed(
      new PortClosedError(
        "peer-closed",
        "the other end closed the port",
        reason === undefined ? {} : { cause: reason },
      ),
    );
  }

  protected override dispose(): void {
    this.unref();
    this.#peer?.peerClosed(new PortClosedError("peer-closed", "the other end closed the port"));
    this.#peer = undefined;
  }
}

/** The two ends of a queue inside one process: first the client's, then the engine's. */
export function createInProcessPair(options: InProcessOptions = {}): [Port, Port] {
  const geometry = checkGeometry(options.geometry ?? inProcessGeometry);
  const runtime = options.runtime ?? createPlatformRuntime();
  const toEngine = allocateRing(geometry.toEngine);
  const toClient = allocateRing(geometry.toClient);
  const client = new InProcessPort(toEngine, toClient, runtime);
  const engine = new InProcessPort(toClient, toEngine, runtime);
  client.join(engine);
  engine.join(client);
  return [client, engine];
}
