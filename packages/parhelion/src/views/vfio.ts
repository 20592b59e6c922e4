/** What can be served by vfio-user, as a table. */
import type { ServableDevice } from "../vfio/servable.js";
import { table } from "./table.js";

export function servableView(devices: readonly ServableDevice[]): string {
  return table(
    ["DEVICE", "WHAT", "STATE", "SOCKET"],
    devices.map(({ device, what, state, socket }) => [device, what, state, socket ?? "-"]),
  );
}
