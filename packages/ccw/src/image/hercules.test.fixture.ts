/** The images that Hercules made, and what its programs say of them (packages/ccw/fixtures). */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { MemoryDisk } from "./memory-disk.test.fixture.js";

export type HerculesImage =
  | "loaded.ckd"
  | "loaded-zlib.cckd"
  | "loaded-bzip2.cckd"
  | "loaded-swapped.cckd"
  | "linux.cckd"
  | "linux-copied.ckd"
  | "none.cckd"
  | "small-3380.ckd";

export function herculesFile(name: string): Buffer {
  const bytes = readFileSync(new URL(`../../fixtures/${name}`, import.meta.url));
  return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}

export function herculesDisk(...names: readonly HerculesImage[]): MemoryDisk {
  const disk = new MemoryDisk();
  for (const name of names) disk.put(name, herculesFile(`${name}.gz`));
  return disk;
}
