/** A guest of a host on this machine, with its kernel in this process: what `run`, `guest` and `doctor` have in common. */
import type { LogSink } from "parhelion-core";
import type { GuestKernel } from "parhelion-guest";
import type { GuestGrant, GuestWish, HostAccess } from "../host/host-access.js";
import { startKernel } from "./start-kernel.js";

export interface LocalGuest {
  readonly grant: GuestGrant;
  readonly kernel: GuestKernel;
  /** Stops the kernel and removes the guest from the host. Does what it can when the host is gone. */
  end(): Promise<void>;
}

export type LocalGuestWish = Omit<GuestWish, "lifetime">;

export async function startLocalGuest(
  host: HostAccess,
  wish: LocalGuestWish,
  log: LogSink,
): Promise<LocalGuest> {
  const { name } = wish;
  // Nobody else has its credential: when this process is gone, nobody will connect for it again.
  const grant = await host.createGuest({ ...wish, lifetime: "connected" });
  try {
    const kernel = await startKernel({
      connect: { path: grant.vmbus },
      credential: grant.credential,
      directory: grant.directory,
      log,
      ...(name === undefined ? {} : { name }),
    });
    return {
      grant,
      kernel,
      end: async () => {
        await kernel.stop();
        await removeQuietly(host, grant.id);
      },
    };
  } catch (error) {
    await removeQuietly(host, grant.id);
    throw error;
  }
}

/** What keeps the host from removing it now; it does so by itself when the kernel has been away for a while. */
const laterByItself: readonly unknown[] = ["host-gone", "host-stopping", "host-unreachable", "store-failed"];

async function removeQuietly(host: HostAccess, id: string): Promise<void> {
  try {
    await host.removeGuest(id);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "guest-unknown" && !laterByItself.includes(code)) throw error;
  }
}
