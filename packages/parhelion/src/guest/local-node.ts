/** Slices that the host uses itself: a guest kernel in the host's own process, which programs on this machine reach. */
import type { LogSink } from "parhelion-core";
import { startGuestKernel } from "parhelion-guest";
import type { OpenLocalNode } from "parhelion-host";

export function openLocalNode(log: LogSink): OpenLocalNode {
  return async ({ slice, directory, credential, vmbus }) => {
    const kernel = await startGuestKernel({
      connect: { path: vmbus },
      credential,
      directory,
      name: `local ${slice}`,
      log,
    });
    return { close: () => kernel.stop() };
  };
}
