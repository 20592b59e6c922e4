/** Commands that belong to the queue itself rather than to an object. */
import { ProtocolError } from "../error.js";
import { type Cursor, short } from "./cursor.js";
import type { SpecialCommands } from "./generated/special-commands.js";
import { FIRST_FREE_HANDLE } from "./handle.js";
import type { ObjectTable } from "./object-table.js";

export function replayRelease(
  objects: ObjectTable,
  special: SpecialCommands,
  u32: Uint32Array,
  i: number,
  bytes: number,
): void {
  if (bytes < 12) throw short();
  const id = u32[i + 2]!;
  if (id > 0 && id < FIRST_FREE_HANDLE) {
    throw new ProtocolError("bad-id", `handle ${id} lives as long as the queue`);
  }
  const kind = objects.kindOf(id);
  special.release(id, kind, objects.release(id));
}

export function replayImport(
  objects: ObjectTable,
  special: SpecialCommands,
  u32: Uint32Array,
  i: number,
  bytes: number,
): void {
  if (bytes < 24) throw short();
  const id = u32[i + 2]!;
  const kind = u32[i + 3]!;
  const object = special.importObject(kind, u32[i + 4]!, u32[i + 5]!);
  if (object === undefined) objects.reserve(id, kind).fail();
  else objects.put(id, kind, object);
}

export function replayLabel(objects: ObjectTable, c: Cursor): void {
  const object = objects.getAny(c.word()) as { label: string };
  object.label = c.text();
}
