import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { adapterMemory, systemMemory } from "./capacity.js";

test("what is configured counts, then what a card reports, then half of the machine", async () => {
  const machine = { cards: async () => [9e9, 8e9], total: () => 5001 };
  assert.deepEqual(await adapterMemory("hardware", 7, machine), { bytes: 7, source: "configured" });
  assert.deepEqual(await adapterMemory("hardware", undefined, machine), { bytes: 8e9, source: "reported" });
  assert.deepEqual(await adapterMemory("software", undefined, machine), { bytes: 2500, source: "assumed" });
  const silent = { ...machine, cards: async () => [] };
  assert.deepEqual(await adapterMemory("hardware", undefined, silent), { bytes: 2500, source: "assumed" });
});

test("cards tell their memory in the tree; what is not a number is not told", async () => {
  const drm = await mkdtemp(join(tmpdir(), "phd-"));
  try {
    assert.deepEqual(await systemMemory(join(drm, "missing")).cards(), []);
    for (const [card, text] of Object.entries({
      card0: "4096\n",
      card1: "",
      card2: "many\n",
      "card0-DP-1": "5",
    })) {
      await mkdir(join(drm, card, "device"), { recursive: true });
      await writeFile(join(drm, card, "device", "mem_info_vram_total"), text);
    }
    assert.deepEqual(await systemMemory(drm).cards(), [4096]);
  } finally {
    await rm(drm, { recursive: true });
  }
});
