/** The host's refusal of a guest that made contact. */
import { KernelError } from "parhelion-core";

/** An ECONNREFUSED that knows why. */
export class VmbusRefusedError extends KernelError {
  /** Stable, for programs: guest-unknown, guest-connected, host-stopping, …; empty from a host that does not say. */
  readonly why: string;

  constructor(why: string, message: string) {
    super("ECONNREFUSED", message);
    this.why = why;
  }
}
