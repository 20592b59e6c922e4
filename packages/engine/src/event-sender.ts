/** What the engine says to one client, encoded and in order. */
import {
  EventWriter,
  encodeEventDeviceLost,
  encodeEventMapData,
  encodeEventReplyCompilationInfo,
  encodeEventReplyErrorScope,
  encodeEventReplyMap,
  encodeEventReplyPipeline,
  encodeEventReplyWorkDone,
  encodeEventUncapturedError,
  isProtocolError,
  type Port,
  type ProtocolError,
  type RingWriter,
} from "parhelion-protocol";
import type { Loss } from "./device.js";
import type { ErrorKind } from "./error-kind.js";
import { shorten } from "./limits.js";
import type { MappedBytes, MappingEvents } from "./mappings.js";
import type { Outbox, Parcel } from "./outbox.js";
import { messageOf } from "./refusal.js";

export class EventSender implements MappingEvents {
  readonly #tx: RingWriter;
  readonly #writer: EventWriter;
  readonly #outbox: Outbox;
  readonly #onFailure: (error: ProtocolError) => void;

  /** @param onFailure the client does not read what it asks for */
  constructor(port: Port, outbox: Outbox, onFailure: (error: ProtocolError) => void) {
    this.#tx = port.tx;
    this.#writer = new EventWriter(port.tx);
    this.#outbox = outbox;
    this.#onFailure = onFailure;
  }

  workDone(request: number): void {
    this.#post(() => encodeEventReplyWorkDone(this.#writer, request));
  }

  mapped(request: number, totalBytes: number): void {
    this.#post(() => encodeEventReplyMap(this.#writer, request, "ok", totalBytes, "", ""));
  }

  refused(request: number, name: string, message: string): void {
    const text = shorten(message);
    this.#post(() => encodeEventReplyMap(this.#writer, request, "error", 0, name, text));
  }

  stream(request: number, source: MappedBytes): void {
    const most = this.#writer.maxData;
    this.#post(() => {
      for (;;) {
        const piece = source.peek(most);
        if (piece === undefined) break;
        const last = source.offset + piece.byteLength === source.total;
        if (!encodeEventMapData(this.#writer, request, last, source.offset, piece)) return false;
        if (source.advance(piece.byteLength) === "complete") break;
        // The client copies this piece while the next one is being written.
        this.#tx.flush();
      }
      source.end();
      return true;
    });
  }

  errorScope(request: number, error: { kind: ErrorKind; message: string } | null): void {
    const message = shorten(error?.message ?? "");
    this.#post(() => encodeEventReplyErrorScope(this.#writer, request, error?.kind ?? "none", message));
  }

  errorScopeRefused(request: number, reason: unknown): void {
    const message = shorten(messageOf(reason));
    this.#post(() => encodeEventReplyErrorScope(this.#writer, request, "error", message));
  }

  pipelineReady(request: number): void {
    this.#post(() => encodeEventReplyPipeline(this.#writer, request, "ok", ""));
  }

  pipelineFailed(request: number, reason: "validation" | "internal", message: string): void {
    const text = shorten(message);
    this.#post(() => encodeEventReplyPipeline(this.#writer, request, reason, text));
  }

  compilationInfo(request: number, messages: readonly GPUCompilationMessage[]): void {
    // Dawn's objects have getters, and live no longer than their shader module.
    const plain = messages.map(({ message, type, lineNum, linePos, offset, length }) => ({
      message,
      type,
      lineNum,
      linePos,
      offset,
      length,
    }));
    this.#post(() => encodeEventReplyCompilationInfo(this.#writer, request, plain));
  }

  uncaptured(kind: ErrorKind, message: string): void {
    const text = shorten(message);
    this.#outbox.offer(() => encodeEventUncapturedError(this.#writer, kind, text));
  }

  deviceLost({ reason, message }: Loss): void {
    const text = shorten(message);
    this.#post(() => encodeEventDeviceLost(this.#writer, reason, text));
  }

  #post(parcel: Parcel): void {
    try {
      this.#outbox.post(parcel);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#onFailure(error);
    }
  }
}
