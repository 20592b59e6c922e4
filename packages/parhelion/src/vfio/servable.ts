/** What `vfio serve` can be told to serve. */
import type { SliceStatus, VfioService } from "parhelion-host";
import { reachHost } from "../host/host-access.js";

export interface ServableDevice {
  /** For the command line. */
  readonly device: string;
  readonly what: string;
  /** "ready": it can be served. "served": it is. "unbound": not before it is bound to vfio. */
  readonly state: "ready" | "served" | "unbound";
  readonly socket: string | null;
}

const withoutHost: readonly ServableDevice[] = [
  { device: "serial", what: "PCI serial card, 1 port", state: "ready", socket: null },
  { device: "serial:2", what: "PCI serial card, 2 ports", state: "ready", socket: null },
  { device: "ccw:IMAGE", what: "disk image as a 3390, channel I/O", state: "ready", socket: null },
];

/** The slices of the host in that state directory, if one runs there, and what needs no host. */
export async function servableDevices(state: string | undefined): Promise<readonly ServableDevice[]> {
  let host: Awaited<ReturnType<typeof reachHost>>;
  try {
    host = await reachHost({ stateDirectory: state });
  } catch (error) {
    if ((error as { code?: unknown }).code === "no-host") return withoutHost;
    throw error;
  }
  try {
    const slices = (await host.ask("sliceList", {})) as readonly SliceStatus[];
    const services = (await host.ask("vfioList", {})) as readonly VfioService[];
    return [...withoutHost, ...slices.map((slice) => servableSlice(slice, services))];
  } finally {
    await host.close();
  }
}

function servableSlice(slice: SliceStatus, services: readonly VfioService[]): ServableDevice {
  const service = services.find(({ slice: uuid }) => uuid === slice.uuid);
  const { uuid: device, type, adapter, use } = slice;
  const what = `vGPU, ${type} of ${adapter}, used as ${use ?? "nothing"}`;
  if (service !== undefined) return { device, what, state: "served", socket: service.socket };
  return { device, what, state: use === "vfio" ? "ready" : "unbound", socket: null };
}
