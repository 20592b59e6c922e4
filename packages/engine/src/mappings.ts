/**
 * Buffers that are mapped for the application. Their contents travel: to the application as soon as Dawn has mapped a buffer,
 * piece by piece as its ring has room, and back just before it is unmapped.
 *
 * Unmapping, destroying and losing the device all detach Dawn's ArrayBuffer, which is therefore what is asked whether a mapping
 * still exists; nothing else could get out of step with it.
 */
import { ProtocolError } from "parhelion-protocol";
import { messageOf } from "./refusal.js";

/** What this needs of the queue's outbox and of the generated event encoders. */
export interface MappingEvents {
  mapped(request: number, totalBytes: number): void;
  refused(request: number, name: string, message: string): void;
  /** Queues the data of a mapping: `next` is asked for pieces until it has no more. */
  stream(request: number, source: MappedBytes): void;
}

/** Contents on their way. Reading stops by itself when the buffer is unmapped meanwhile. */
export class MappedBytes {
  readonly total: number;
  readonly #bytes: Uint8Array;
  readonly #end: () => void;
  #sent = 0;
  #state: "sending" | "ended" = "sending";

  constructor(bytes: Uint8Array, onEnd: () => void) {
    this.#bytes = bytes;
    this.total = bytes.byteLength;
    this.#end = onEnd;
  }

  get offset(): number {
    return this.#sent;
  }

  /** At most `most` bytes from `offset` on, undefined when the rest will never come. */
  peek(most: number): Uint8Array | undefined {
    if (this.#state === "ended" || this.#bytes.byteLength !== this.total) return undefined;
    return this.#bytes.subarray(this.#sent, Math.min(this.total, this.#sent + most));
  }

  advance(bytes: number): "more" | "complete" {
    this.#sent += bytes;
    return this.#sent < this.total ? "more" : "complete";
  }

  /** Called once nothing more is sent, for whatever reason. */
  end(): void {
    if (this.#state === "ended") return;
    this.#state = "ended";
    this.#end();
  }
}

interface Mapping {
  /** Bytes from the buffer's start to the mapped range. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class Mappings {
  readonly #events: MappingEvents;
  readonly #limit: number;
  readonly #mappings = new WeakMap<GPUBuffer, Mapping>();
  readonly #streams = new Set<MappedBytes>();
  #inFlight = 0;

  /** @param limit requests whose data has not been sent entirely */
  constructor(events: MappingEvents, limit: number) {
    this.#events = events;
    this.#limit = limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** @throws ProtocolError `too-many-maps` */
  map(buffer: GPUBuffer, request: number, mode: number, offset: number, size: number): void {
    if (this.#inFlight >= this.#limit)
      throw new ProtocolError(
        "too-many-maps",
        `${this.#inFlight} mapAsync requests are under way, the limit`,
      );
    this.#inFlight++;
    let mapping: Promise<undefined>;
    try {
      mapping = buffer.mapAsync(mode, offset, size);
    } catch (error) {
      this.#refuse(request, error);
      return;
    }
    mapping.then(
      () => this.#mapped(buffer, request, offset, size),
      (error: unknown) => this.#refuse(request, error),
    );
  }

  /**
   * Puts what the application wrote into the buffer, which is mapped for writing or at its creation.
   * @throws ProtocolError `outside-of-mapping`
   */
  write(buffer: GPUBuffer, offset: number, payload: Uint8Array): void {
    const mapping = this.#mappings.get(buffer) ?? this.#mappedAtCreation(buffer);
    // Destroyed, or never allocated: then nobody will see the contents.
    if (mapping === undefined || (mapping.bytes.byteLength === 0 && payload.byteLength > 0)) return;
    const at = offset - mapping.offset;
    if (at < 0 || at + payload.byteLength > mapping.bytes.byteLength)
      throw new ProtocolError(
        "outside-of-mapping",
        `${payload.byteLength} bytes at ${offset} are outside of the ${mapping.bytes.byteLength} bytes mapped at ${mapping.offset}`,
      );
    mapping.bytes.set(payload, at);
  }

  unmap(buffer: GPUBuffer): void {
    this.#mappings.delete(buffer);
    buffer.unmap();
  }

  /** The device is lost: what its memory holds now, if it is still there, is nobody's business. */
  stop(): void {
    for (const source of [...this.#streams]) source.end();
  }

  #mapped(buffer: GPUBuffer, request: number, offset: number, size: number): void {
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(buffer.getMappedRange(offset, size));
    } catch {
      // Unmapped between Dawn's answer and ours.
      this.#refuse(request, new DOMException("the buffer was unmapped before it was mapped", "AbortError"));
      return;
    }
    this.#mappings.set(buffer, { offset, bytes });
    const source: MappedBytes = new MappedBytes(bytes, () => {
      this.#inFlight--;
      this.#streams.delete(source);
    });
    this.#streams.add(source);
    this.#events.mapped(request, bytes.byteLength);
    this.#events.stream(request, source);
  }

  #refuse(request: number, error: unknown): void {
    this.#inFlight--;
    const name = error instanceof Error || error instanceof DOMException ? error.name : "OperationError";
    this.#events.refused(request, name, messageOf(error));
  }

  #mappedAtCreation(buffer: GPUBuffer): Mapping | undefined {
    if (buffer.mapState !== "mapped") return undefined;
    const mapping = { offset: 0, bytes: new Uint8Array(buffer.getMappedRange()) };
    this.#mappings.set(buffer, mapping);
    return mapping;
  }
}
