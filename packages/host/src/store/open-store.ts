/** Where a host's store is, and how it is begun anew. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Runtime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { KeptStore } from "./kept-store.js";
import { LevelTable } from "./level-table.js";
import { MemoryTable } from "./memory-table.js";
import type { HostStore } from "./store.js";

/** Its directory's name in the state directory. */
export const storeName = "store";

/**
 * Only with the state directory's lock held.
 * @throws HostError store-damaged, store-unavailable, host-already-running (its own lock, a second line)
 */
export function openStore(runtime: Runtime, stateDirectory: string): Promise<HostStore> {
  return KeptStore.open(runtime, new LevelTable(join(stateDirectory, storeName)));
}

/** Of a host that keeps nothing. */
export function openMemoryStore(runtime: Runtime, table = new MemoryTable()): Promise<HostStore> {
  return KeptStore.open(runtime, table);
}

/**
 * All that was kept goes, spent UUIDs included. Only with the state directory's lock held.
 * @throws HostError host-already-running
 */
export async function forgetStore(runtime: Runtime, stateDirectory: string): Promise<void> {
  try {
    await (await openStore(runtime, stateDirectory)).close();
  } catch (error) {
    // However damaged it is: nobody may have it open.
    if (error instanceof HostError && error.code === "host-already-running") throw error;
  }
  await removeStore(stateDirectory);
}

/** Of a store that is closed. */
export async function removeStore(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, storeName), { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}
