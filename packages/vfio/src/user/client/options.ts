/** What a client of a served device may choose. All times in ms. */
import type { KoffiModule } from "../socket/libc.js";

export interface VfioUserConnectOptions {
  /** The imported module `koffi` (version 3); without it there are no interrupts, and memory goes by messages. */
  readonly koffi?: KoffiModule | undefined;
  /** For the connection and the server's answer to VERSION together: another client's device may have to be closed first. Default 30 000. */
  readonly connectMs?: number;
  /** For a command whose caller names no deadline. Default 25 000: longer than our server waits for its device. */
  readonly commandMs?: number;
}

export const defaultConnectMs = 30_000;
export const defaultCommandMs = 25_000;
