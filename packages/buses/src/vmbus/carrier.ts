/**
 * What carries the frames of one VMBus connection. A frame is a channel's number and one packet of it; number 0 carries
 * VMBus's own messages. Everything above waits through the model's primitives alone, whatever the carrier is made of.
 */

/** Called one call at a time, never from within a call of the carrier's own methods. */
export interface VmbusReceiver {
  /** Handles its own errors. */
  frame(relid: number, payload: Uint8Array): void;
  /** The connection is over. Called once, unless this end closed or cut it. */
  ended(reason: Error): void;
}

export interface VmbusCarrier {
  /** Called once. Nothing is delivered before. */
  receive(receiver: VmbusReceiver): void;
  /** Dropped when this end has closed. */
  send(relid: number, payload: Uint8Array): void;
  /** Nothing is delivered any more; what was sent before still arrives. */
  close(): void;
  /** Nothing is delivered any more, here or there. */
  cut(): void;
}

export interface CarrierOptions {
  /** Who is at the other end, for messages. */
  readonly peer: string;
  /**
   * Whether nothing more is read while the peer does not read what it is sent. The host's end holds; the guest's, which asks,
   * reads always, so that the two never wait for each other.
   */
  readonly whenBackedUp: "hold" | "read";
}
