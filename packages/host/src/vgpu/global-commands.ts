/** The commands of the global channel: processes come and go. */
import { vmCommand } from "parhelion-protocol";
import { type Command, command } from "./command-table.js";
import type { GuestProcesses } from "./guest-process.js";

export const globalCommands: readonly Command<GuestProcesses>[] = [
  command(vmCommand.createProcess, (processes: GuestProcesses, { processId, name }) => ({
    process: processes.create(processId, name),
  })),
  command(vmCommand.destroyProcess, (processes: GuestProcesses, _request, process) => {
    processes.destroy(process);
    return {};
  }),
];
