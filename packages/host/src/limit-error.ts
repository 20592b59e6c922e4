/** A refusal because of a limit as an error for administrators: its words are the message, all else its details. */
import { HostError } from "./host-error.js";
import { type Refusal, refusalMessage } from "./limits.js";

export function limitError(refusal: Refusal): HostError {
  const { code, ...details } = refusal;
  return new HostError(code, refusalMessage(refusal), { details });
}
