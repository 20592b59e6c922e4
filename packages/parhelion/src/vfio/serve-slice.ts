/** A slice that its host serves, for as long as this process asks it to. */
import type { SliceStatus, VfioService, VfioServiceState } from "parhelion-host";
import type { HostAccess } from "../host/host-access.js";
import { SliceAccess } from "../slice/slice-access.js";
import type { ServedDevice } from "./serve-serial.js";

/** How long one question to the host lasts, in ms. The host gives a service up that nobody asks about for longer. */
const watchMs = 5_000;

/** Takes the host over, and closes it in the end. @throws CommandError no-slice, ambiguous-slice; AdminError */
export async function serveSlice(host: HostAccess, start: string, socket: string): Promise<ServedDevice> {
  let service: VfioService;
  try {
    const { uuid }: SliceStatus = await new SliceAccess(host).find(start);
    service = (await host.ask("vfioServe", { uuid, socket })) as VfioService;
  } catch (error) {
    await host.close();
    throw error;
  }
  const { id, slice } = service;
  return {
    device: slice,
    socket,
    lines: [],
    ended: watched(host, id),
    async close() {
      try {
        await host.ask("vfioEnd", { id });
      } catch {
        // It has ended, or the host has: there is nothing to take back.
      } finally {
        await host.close();
      }
    },
  };
}

async function watched(host: HostAccess, id: number): Promise<string> {
  for (;;) {
    try {
      const { state, reason } = (await host.ask("vfioWatch", { id, waitMs: watchMs })) as VfioServiceState;
      if (state === "ended") return reason;
    } catch (error) {
      return (error as Error).message;
    }
  }
}
