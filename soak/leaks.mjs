// What must not be left when the trouble is over: memory and objects on the slices, open files and processes of the host.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Descriptors of a process by what they are: sockets, files, … */
export function descriptorsOf(pid) {
  const kinds = {};
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const kind = readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:?\[.*|\d+.*/, "") || "file";
      kinds[kind] = (kinds[kind] ?? 0) + 1;
    } catch {
      // Closed meanwhile.
    }
  }
  return Object.values(kinds).reduce((sum, count) => sum + count, 0);
}

export function residentMiB(pid) {
  const match = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(match?.[1] ?? 0) / 1024);
}

/** Processes that still run one of the project's own programs on `directory`, whoever their parent is by now. */
export function processesOn(directory) {
  const found = [];
  for (const pid of readdirSync("/proc").filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      if (!command.includes("node")) continue;
      if (command.includes(directory) || environment.includes(directory))
        found.push(`${pid} ${command.slice(0, 120)}`);
    } catch {
      // It has ended, or is somebody else's.
    }
  }
  return found;
}
