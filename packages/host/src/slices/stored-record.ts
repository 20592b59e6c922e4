/** A slice's record as it was kept, by this host or an earlier release. */
import { HostError, messageOf } from "../host-error.js";
import type { StoredSlice } from "../store/records.js";
import { parseSliceWish, type SliceDescriptor } from "./descriptor.js";
import type { SliceRecord } from "./slice-entry.js";

/** @throws HostError store-damaged */
export function parseRecord(kept: StoredSlice): SliceRecord {
  try {
    const { capacityBytes, ...wish } = kept.descriptor;
    if (typeof capacityBytes !== "number" || !(capacityBytes > 0))
      throw new Error("capacityBytes is no size");
    const { type, memory, share, weight, cap, submissionMs, objects, bytesInFlight, engines, nodeOpens } =
      parseSliceWish(wish);
    const { reservedBytes, limitBytes } = memory ?? {};
    const descriptor: SliceDescriptor = {
      type: there(type),
      memory: { reservedBytes: there(reservedBytes), limitBytes: there(limitBytes) },
      share: there(share),
      weight: there(weight),
      cap: there(cap),
      submissionMs: there(submissionMs),
      objects: there(objects),
      bytesInFlight: there(bytesInFlight),
      engines: there(engines),
      nodeOpens: there(nodeOpens),
    };
    return { ...kept, descriptor, capacityBytes };
  } catch (cause) {
    const { uuid } = kept;
    throw new HostError("store-damaged", `what is kept of slice ${uuid} is no slice: ${messageOf(cause)}.`, {
      cause,
      details: { slice: uuid },
    });
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a member is missing");
  return value;
}
