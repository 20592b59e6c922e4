/** The engine's half of pass-state.ts. */
import { ProtocolError } from "../error.js";
import { short } from "./cursor.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { TargetBindGroup, TargetComputePassEncoder } from "./generated/target.js";
import { MAX_ELEMENTS } from "./limits.js";
import type { ObjectTable } from "./object-table.js";
import { BIND_GROUP_WORDS, IMMEDIATES_WORDS } from "./pass-state.js";
import type { RecordViews } from "./record-views.js";

/** @param bytes at least the fixed part */
export function replaySetBindGroup(
  self: Pick<TargetComputePassEncoder, "setBindGroup">,
  objects: ObjectTable,
  views: RecordViews,
  i: number,
  bytes: number,
): void {
  const { u32 } = views;
  const group = objects.getNullable(u32[i + 4]!, InterfaceKind.GPUBindGroup) as TargetBindGroup | null;
  const count = u32[i + 5]!;
  if (count === 0) {
    self.setBindGroup(u32[i + 3]!, group);
    return;
  }
  if (count > (bytes >> 2) - BIND_GROUP_WORDS) throw short();
  if (count > MAX_ELEMENTS) {
    throw new ProtocolError("over-limit", `${count} dynamic offsets, at most ${MAX_ELEMENTS} are read`);
  }
  const at = i + BIND_GROUP_WORDS;
  const offsets = [u32[at]!];
  for (let n = 1; n < count; n += 1) offsets.push(u32[at + n]!);
  self.setBindGroup(u32[i + 3]!, group, offsets);
}

/** @param bytes at least the fixed part */
export function replaySetImmediates(
  self: Pick<TargetComputePassEncoder, "setImmediates">,
  _objects: ObjectTable,
  views: RecordViews,
  i: number,
  bytes: number,
): void {
  const length = views.u32[i + 4]!;
  if (length > bytes - IMMEDIATES_WORDS * 4) throw short();
  const start = (i + IMMEDIATES_WORDS) * 4;
  // A copy: Dawn refuses shared memory.
  self.setImmediates(views.u32[i + 3]!, views.u8.slice(start, start + length));
}
