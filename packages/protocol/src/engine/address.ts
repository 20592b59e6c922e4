/** Whose engine it is, in every message between host and engine: what names another slice or generation changes nothing. */
import { object } from "./shape.js";

export interface EngineAddress {
  /** UUID of the slice. */
  readonly slice: string;
  readonly generation: number;
}

/** The message as it travels. */
export function addressed<T extends object>(
  message: T,
  { slice, generation }: EngineAddress,
): T & EngineAddress {
  return { ...message, slice, generation };
}

/**
 * Whether a message that arrived is of this slice and generation. One that names neither is: what comes before an engine knows
 * whose it is.
 * @throws ProtocolError `bad-engine-message` no object
 */
export function isAddressedTo(message: unknown, { slice, generation }: EngineAddress): boolean {
  const named = object(message, "message");
  return (named["slice"] ?? slice) === slice && (named["generation"] ?? generation) === generation;
}
