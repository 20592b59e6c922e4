/**
 * What this device's promises wait for, by request number. Everything that was asked is settled exactly once: by the
 * engine's reply, or, when the device is lost, the way WebGPU says.
 */
import { ProtocolError } from "parhelion-protocol";
import type { CompilationMessageFields } from "../compilation-info.js";
import type { GPUError } from "../error.js";

export interface MapRequest {
  readonly kind: "map";
  /** Bytes of the range that is being mapped. */
  readonly size: number;
  /** Memory of exactly that size that may be written over. */
  readonly spare?: Uint8Array<ArrayBuffer> | undefined;
  /** Undefined until the engine said that the buffer is mapped. */
  contents: Uint8Array<ArrayBuffer> | undefined;
  /** The whole range arrived. */
  mapped(contents: ArrayBuffer): void;
  failed(name: string, message: string): void;
}

export interface WorkDoneRequest {
  readonly kind: "work-done";
  done(): void;
}

export interface ErrorScopeRequest {
  readonly kind: "error-scope";
  popped(error: GPUError | null): void;
  failed(message: string): void;
}

export interface PipelineRequest {
  readonly kind: "pipeline";
  created(): void;
  failed(reason: "validation" | "internal", message: string): void;
}

export interface CompilationInfoRequest {
  readonly kind: "compilation-info";
  known(messages: readonly CompilationMessageFields[]): void;
}

export type Request =
  | MapRequest
  | WorkDoneRequest
  | ErrorScopeRequest
  | PipelineRequest
  | CompilationInfoRequest;

type RequestOf<K extends Request["kind"]> = Extract<Request, { kind: K }>;

export class RequestTable {
  readonly #pending = new Map<number, Request>();
  readonly #onChange: (pending: number) => void;
  #last = 0;

  /** @param onChange called when there is something to wait for where there was nothing, and the reverse */
  constructor(onChange: (pending: number) => void) {
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Returns the number under which the engine will reply. */
  add(request: Request): number {
    // 32 bits: a number comes back after four billion requests, and its first owner has long been answered.
    this.#last = this.#last === 0xffff_ffff ? 1 : this.#last + 1;
    this.#pending.set(this.#last, request);
    if (this.#pending.size === 1) this.#onChange(1);
    return this.#last;
  }

  /** The request that a reply is for; undefined when the application gave it up meanwhile. */
  find<K extends Request["kind"]>(kind: K, number: number): RequestOf<K> | undefined {
    const request = this.#pending.get(number);
    if (request === undefined) return undefined;
    if (request.kind !== kind) {
      throw new ProtocolError(
        "wrong-reply",
        `request ${number} is a ${request.kind}, the reply is for a ${kind}`,
      );
    }
    return request as RequestOf<K>;
  }

  /** As `find`, and the request is over. */
  take<K extends Request["kind"]>(kind: K, number: number): RequestOf<K> | undefined {
    const request = this.find(kind, number);
    if (request !== undefined) this.forget(number);
    return request;
  }

  forget(number: number): void {
    if (this.#pending.delete(number) && this.#pending.size === 0) this.#onChange(0);
  }

  /** Settles everything as on a lost device, in the order in which it was asked. */
  abandonAll(): void {
    const abandoned = [...this.#pending.values()];
    this.#pending.clear();
    if (abandoned.length > 0) this.#onChange(0);
    for (const request of abandoned) abandon(request);
  }
}

/** What WebGPU answers when the device is lost: errors can't be observed any more, so most things simply "succeed". */
export function abandon(request: Request): void {
  switch (request.kind) {
    case "map":
      request.failed("AbortError", "mapAsync: the device is lost.");
      break;
    case "work-done":
      request.done();
      break;
    case "error-scope":
      request.popped(null);
      break;
    case "pipeline":
      request.created();
      break;
    case "compilation-info":
      request.known([]);
      break;
  }
}
