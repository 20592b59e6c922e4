/** What can be asked of a host over its admin socket, besides its slices. */
import type { CreatedGuest, GuestWish } from "../guests/guests.js";
import type { HostStatus } from "../status.js";
import type { AdminMethod, AdminParams } from "./admin-server.js";
import { optionalChoice, optionalCount, optionalText, text } from "./parameters.js";
import { wishOf } from "./slice-methods.js";

export interface AdminTarget {
  status(): Promise<HostStatus>;
  guestCreate(wish: GuestWish): Promise<CreatedGuest>;
  guestRemove(id: string): Promise<void>;
  /** Begins to stop; the answer goes out before the socket closes. */
  shutdown(): void;
}

export function adminMethods(target: AdminTarget): Readonly<Record<string, AdminMethod>> {
  return {
    status: () => target.status(),
    guestCreate: async (params) => target.guestCreate(guestWish(params)),
    guestRemove: async (params) => target.guestRemove(text(params, "id", "guestRemove")),
    shutdown: async () => target.shutdown(),
  };
}

/** As many slices as `slices` says, 1 by default, each as `type` and `descriptor` say. */
function guestWish(params: AdminParams): GuestWish {
  const name = optionalText(params, "name");
  const lifetime = optionalChoice(params, "lifetime", ["kept", "connected"]);
  const wish = wishOf(params);
  const count = optionalCount(params, "slices") ?? 1;
  return {
    ...(name === undefined ? {} : { name }),
    ...(lifetime === undefined ? {} : { lifetime }),
    slices: Array.from({ length: Math.min(count, mostSlices) }, () => wish),
  };
}

/** No guest is allowed as many: what is beyond is refused all the same, and costs nothing before. */
const mostSlices = 100_000;
