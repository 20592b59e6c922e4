/** What the server may take, and how long it waits for whom. All times in ms. */
import type { KoffiModule } from "../socket/libc.js";
import type { DmaMap } from "../wire/dma.js";

export interface VfioUserOptions {
  /** The node of the device to serve, such as "vfio0". */
  readonly device: string;
  /** Where clients connect: a path with room for a Unix socket's 107 bytes. One that nobody listens at is replaced. */
  readonly socketPath: string;
  /** The imported module `koffi` (version 3); without it clients' descriptors can't be taken: no interrupts, memory by messages. */
  readonly koffi?: KoffiModule | undefined;
  /**
   * How memory is reached whose descriptor a client passes: "descriptor" by itself, where that is safe; "message" by asking the
   * client all the same. Asked for each mapping; default "descriptor".
   */
  memory?(map: DmaMap): "descriptor" | "message";
  readonly patience?: Partial<Patience>;
}

export interface Patience {
  /** Until a client has said its version. */
  readonly negotiateMs: number;
  /** For what the device does on one command. Answered with ETIMEDOUT then. */
  readonly commandMs: number;
  /** Until the client answers a question for its memory. */
  readonly dmaMs: number;
  /** Until the client has read its answers. It is cut off then. */
  readonly drainMs: number;
  /** Until the device is opened for a client, and until it is closed after it. */
  readonly openMs: number;
}

export const defaultPatience: Patience = {
  negotiateMs: 10_000,
  commandMs: 20_000,
  dmaMs: 5_000,
  drainMs: 10_000,
  openMs: 20_000,
};
