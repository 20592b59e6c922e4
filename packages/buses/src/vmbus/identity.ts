/**
 * Whose a message is. A channel is of one generation of one slice for all its life; where both ends have the feature, every
 * message about it names both, so that one that was delayed, recorded or sent by an earlier owner changes nothing. Between ends
 * that do not have it the channel's number alone says it, which is used again only after a billion others.
 */
import type { Runtime } from "parhelion-core";
import { ErrorDetail } from "parhelion-protocol";

export interface ChannelIdentity {
  /** UUID of the slice; of a channel that is of no slice, its own instance. */
  readonly slice: string;
  /** The slice's, which is another one after each change of its holder or use. */
  readonly generation: bigint;
}

/** The stable code of a refusal, with ESTALE. */
export const STALE = "slice-stale";

export function sameIdentity(a: ChannelIdentity, b: ChannelIdentity | null): boolean {
  return b !== null && a.slice === b.slice && a.generation === b.generation;
}

/** The body of a refusal: for people, and for programs in the form of an EngineRefusal. */
export function staleDetail(named: ChannelIdentity | null, current: ChannelIdentity | null): Uint8Array {
  const said = named === null ? "none" : `generation ${named.generation} of slice ${named.slice}`;
  const is =
    current === null
      ? "nothing is offered there"
      : `it is generation ${current.generation} of ${current.slice}`;
  const message = `the message names ${said}; ${is}. Open the vGPU that there is now.`;
  const refusal = { name: "OperationError", message, code: STALE };
  const privateData = new TextEncoder().encode(JSON.stringify(refusal));
  return ErrorDetail.encode({ text: `${STALE}: ${message}`, privateData });
}

/** What has no answer is said here, for whoever looks. */
export function logStale(
  runtime: Runtime,
  what: string,
  channel: string,
  named: ChannelIdentity | null,
): void {
  runtime.log("info", "message.stale", {
    code: STALE,
    message: what,
    channel,
    slice: named?.slice ?? "",
    generation: String(named?.generation ?? 0n),
  });
}
