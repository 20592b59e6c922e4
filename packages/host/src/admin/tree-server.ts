/** The host's own device tree, for whoever administers it: beside the admin socket, with its permission. */
import type { System } from "parhelion-core";
import { SysServer } from "parhelion-protocol";
import { HostError, messageOf } from "../host-error.js";

/** @throws HostError listen-failed */
export async function serveTree(system: System, path: string): Promise<SysServer> {
  const onUevent = system.onUevent.bind(system);
  try {
    return await SysServer.listen({
      path,
      source: { name: "host", tree: system.sysfs, onUevent },
      clock: system.runtime.clock,
    });
  } catch (error) {
    const message = `cannot listen on ${path}: ${messageOf(error)}`;
    throw new HostError("listen-failed", message, { cause: error, details: { path } });
  }
}
