/** What can be asked of a host about slices that it serves by vfio-user. */
import { HostError } from "../host-error.js";
import type { VfioServing } from "../vfio/vfio-serving.js";
import type { AdminMethod, AdminParams } from "./admin-server.js";
import { optionalCount, text, uuid } from "./parameters.js";

/** Longer than anybody waits for an answer. */
const mostWaitMs = 20_000;

/** @param serving null: none can be served by this host */
export function vfioMethods(serving: VfioServing | null): Readonly<Record<string, AdminMethod>> {
  if (serving === null) return {};
  return {
    vfioServe: async (params) =>
      serving.serve(uuid(params, "uuid", "vfioServe"), text(params, "socket", "vfioServe")),
    vfioList: async () => serving.list(),
    vfioWatch: async (params) =>
      serving.watch(id(params, "vfioWatch"), Math.min(optionalCount(params, "waitMs") ?? 0, mostWaitMs)),
    vfioEnd: async (params) => serving.end(id(params, "vfioEnd")),
  };
}

/** @throws HostError bad-request */
function id(params: AdminParams, method: string): number {
  const found = optionalCount(params, "id");
  if (found === undefined) throw new HostError("bad-request", `${method} needs id`);
  return found;
}
