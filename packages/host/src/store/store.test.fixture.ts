/** Stores to test with: records to put, and tables that fail when they are told to. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryTable } from "./memory-table.js";
import type { StoredGuest, StoredSlice } from "./records.js";
import type { HostStore } from "./store.js";
import type { TableEdit } from "./table.js";

export function guestRecord(number: number, more: Partial<StoredGuest> = {}): StoredGuest {
  const id = number.toString(16).padStart(8, "0");
  const credentialHash = number.toString(16).padStart(64, "0");
  return { id, name: `guest ${number}`, credentialHash, lifetime: "kept", ...more };
}

export function uuidOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

export function sliceRecord(number: number, more: Partial<StoredSlice> = {}): StoredSlice {
  return {
    uuid: uuidOf(number),
    generation: number,
    adapter: "adapter0",
    descriptor: { type: "shared" },
    use: null,
    holder: null,
    index: 0,
    ...more,
  };
}

/** All that a store says of itself, to compare. */
export function contentOf(store: HostStore): string {
  return JSON.stringify({ guests: store.guests, slices: store.slices });
}

export async function inStateDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-store-"));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** What becomes of a write, and of the opening after one. */
export type Fate = "done" | "lost" | "done-but-failed";

/** A disk in memory that fails as it is told, write by write. */
export class FailingTable extends MemoryTable {
  /** Of the writes to come, in order; `done` when there are no more. */
  readonly fates: Fate[] = [];
  /** As many openings to come fail. */
  failedOpenings = 0;
  /** Called when a write begins. */
  writing: () => void = () => undefined;

  override async open(): Promise<void> {
    if (this.failedOpenings === 0) return;
    this.failedOpenings -= 1;
    throw new Error("no space left on device");
  }

  override async write(edits: readonly TableEdit[]): Promise<void> {
    this.writing();
    const fate = this.fates.shift() ?? "done";
    if (fate !== "lost") await super.write(edits);
    if (fate !== "done") throw new Error("no space left on device");
  }
}
