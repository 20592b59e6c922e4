/** What can be asked of a host over its admin socket. */

import type { CreatedGuest } from "../guests/guests.js";
import { HostError } from "../host-error.js";
import type { HostStatus } from "../status.js";
import type { AdminMethod, AdminParams } from "./admin-server.js";

export interface AdminTarget {
  status(): Promise<HostStatus>;
  guestCreate(options: { readonly name?: string; readonly slices?: number }): Promise<CreatedGuest>;
  guestRemove(id: string): Promise<void>;
  /** Begins to stop; the answer goes out before the socket closes. */
  shutdown(): void;
}

/** For people; longer names are refused, in UTF-16 units. */
const maxName = 128;

export function adminMethods(target: AdminTarget): Readonly<Record<string, AdminMethod>> {
  return {
    status: () => target.status(),
    guestCreate: async (params) => {
      const name = optionalText(params, "name");
      const slices = optionalCount(params, "slices");
      return target.guestCreate({
        ...(name === undefined ? {} : { name }),
        ...(slices === undefined ? {} : { slices }),
      });
    },
    guestRemove: async (params) => {
      const id = optionalText(params, "id");
      if (id === undefined) throw new HostError("bad-request", "guestRemove needs the guest's id");
      await target.guestRemove(id);
    },
    shutdown: async () => target.shutdown(),
  };
}

function optionalText(params: AdminParams, name: string): string | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value.length > maxName) {
    throw new HostError("bad-request", `${name} must be a string of at most ${maxName} characters`);
  }
  return value;
}

function optionalCount(params: AdminParams, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0) {
    throw new HostError("bad-request", `${name} must be a whole number, 0 or more`);
  }
  return value;
}
