/** stub */
import type { Socket } from "node:net";
import type { Runtime } from "parhelion-core";
import type { HostLimits } from "../limits.js";
import type { Secrets } from "../secrets.js";
import type { Guest } from "./guest.js";
import type { GuestReach } from "./guest-listener.js";
import type { QueueRelay } from "./queue-relay.js";
export interface KernelDoorOptions {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly byCredential: (credential: string) => Guest | undefined;
  readonly relay: QueueRelay;
}
export class KernelDoor {
  constructor(_options: KernelDoorOptions) {}
  admit(socket: Socket, _reach: GuestReach): void {
    socket.destroy();
  }
  async close(): Promise<void> {}
}
