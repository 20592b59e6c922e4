/** `parhelion ls`: adapters, slices, guests and the processes that hold nodes open. */
import type { HostStatus, SliceStatus } from "parhelion-host";
import { reachHost } from "../host/host-access.js";
import type { Terminal } from "../terminal.js";
import { bytes, shorten, table } from "../views/table.js";

export interface LsCommand {
  readonly state?: string;
  readonly json?: boolean;
}

export async function lsCommand(options: LsCommand, terminal: Terminal): Promise<number> {
  const host = await reachHost({ stateDirectory: options.state });
  try {
    const status = await host.status();
    terminal.out(options.json ? JSON.stringify(status, null, 2) : view(status));
    return 0;
  } finally {
    await host.close();
  }
}

export function view(status: HostStatus): string {
  const sections = [
    section(
      ["ADAPTER", "KIND", "DESCRIPTION"],
      status.adapters.map(({ name, presence, kind, description }) => [
        name,
        presence === "present" ? kind : presence,
        shorten(description, 70),
      ]),
      "no adapters",
    ),
    section(
      ["SLICE", "TYPE", "ADAPTER", "GUEST", "ENGINE", "DEVICES", "QUEUES", "SUBMITS", "MEMORY"],
      status.slices.map((slice) => [
        // Enough to tell them apart; --json has all of it.
        slice.uuid.slice(0, 8),
        slice.type,
        slice.presence === "away" ? "away" : slice.adapter,
        slice.guest === "" ? holderless(slice) : slice.guest,
        slice.engine.state,
        slice.devices,
        slice.queues,
        slice.statistics?.submits ?? "-",
        slice.statistics === null ? "-" : bytes(slice.statistics.residentBytes),
      ]),
      "no slices",
    ),
    section(
      ["GUEST", "NAME", "CONNECTION", "SLICES", "DIRECTORY"],
      status.guests.map(({ id, name, connection, slices, directory }) => [
        id,
        shorten(name, 24),
        connection,
        slices.length,
        directory,
      ]),
      "no guests",
    ),
    section(
      ["PROCESS", "GUEST", "NODE", "DEVICES"],
      status.guests.flatMap(({ id, processes }) =>
        processes.map(({ handle, pid, name, devices }) => [
          pid,
          id,
          shorten(name === "" ? String(handle) : name, 24),
          devices,
        ]),
      ),
      "no processes",
    ),
  ];
  return sections.join("\n\n");
}

function section(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
  none: string,
): string {
  return rows.length === 0 ? none : table(head, rows);
}

/** Where no guest has it. */
function holderless({ use }: SliceStatus): string {
  return use === "local" || use === "vfio" ? use : "-";
}
