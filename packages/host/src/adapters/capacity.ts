/** How much memory there is to give away of an adapter: as configured, else as the system reports it, else by assumption. */
import { readdir, readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join } from "node:path";
import type { AdapterKind } from "../engines/launcher.js";

export interface AdapterMemory {
  readonly bytes: number;
  /** "assumed": half of this machine's memory. */
  readonly source: "configured" | "reported" | "assumed";
}

/** What the machine says of itself. */
export interface MachineMemory {
  /** Of each graphics card that tells it, in bytes. */
  cards(): Promise<readonly number[]>;
  /** Of the machine itself, in bytes. */
  total(): number;
}

/** @param configured in bytes */
export async function adapterMemory(
  kind: AdapterKind,
  configured: number | undefined,
  machine: MachineMemory,
): Promise<AdapterMemory> {
  if (configured !== undefined) return { bytes: configured, source: "configured" };
  const cards = kind === "hardware" ? await machine.cards() : [];
  const [only] = cards;
  // Of several nobody says here which one is meant: what is too little for one of them holds for all.
  if (only !== undefined) return { bytes: Math.min(...cards), source: "reported" };
  return { bytes: Math.floor(machine.total() / 2), source: "assumed" };
}

/** amdgpu's file; drivers that have none say nothing. */
const vramFile = "mem_info_vram_total";

/** @param drm default /sys/class/drm */
export function systemMemory(drm = "/sys/class/drm"): MachineMemory {
  return {
    total: totalmem,
    async cards() {
      const names = await readdir(drm).catch(() => []);
      const found: number[] = [];
      for (const name of names.filter((entry) => /^card\d+$/.test(entry))) {
        const text = await readFile(join(drm, name, "device", vramFile), "utf8").catch(() => "");
        const bytes = Number(text.trim());
        if (text.trim() !== "" && Number.isSafeInteger(bytes) && bytes > 0) found.push(bytes);
      }
      return found;
    },
  };
}
