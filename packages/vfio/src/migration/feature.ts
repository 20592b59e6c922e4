/** FEATURE: what is asked of a device beside its regions, in Linux's order of checks (vfio_ioctl_device_feature). */
import { KernelError } from "parhelion-core";
import { Feature, type FeatureCall, FeatureFlag, type FeatureReply } from "../device/calls.js";
import type { DmaLog } from "./dma-log.js";
import type { Migration } from "./migration.js";
import { migrationStates } from "./ops.js";

/** What of a device its features are about. */
export interface FeatureTarget {
  readonly name: string;
  readonly migration: Migration | null;
  readonly dmaLog: DmaLog;
  /** The driver's own; null: it has none. */
  feature(call: FeatureCall): Promise<FeatureReply> | null;
}

const headerBytes = 8;
const nothing: FeatureReply = { data: new Uint8Array() };

/** @throws KernelError EINVAL argsz, flags, values; ENOTTY the device does not know the feature */
export async function feature(target: FeatureTarget, call: FeatureCall): Promise<FeatureReply> {
  const { argsz, flags } = call;
  const { MASK, GET, SET, PROBE } = FeatureFlag;
  if (argsz < headerBytes || (flags & ~(MASK | GET | SET | PROBE)) !== 0) {
    throw new KernelError("EINVAL", `FEATURE: argsz ${argsz} (at least 8), flags 0x${flags.toString(16)}`);
  }
  if ((flags & PROBE) === 0 && (flags & GET) !== 0 && (flags & SET) !== 0) {
    throw new KernelError("EINVAL", "FEATURE: GET and SET together only with PROBE");
  }
  switch (flags & MASK) {
    case Feature.MIGRATION: {
      const migration = migrationOf(target);
      if (check(call, GET, 8) === "probe") return nothing;
      return reply(8, (view) => view.setBigUint64(0, BigInt(migration.flags), true));
    }
    case Feature.MIG_DEVICE_STATE:
      return deviceState(migrationOf(target), call);
    case Feature.MIG_DATA_SIZE: {
      const migration = migrationOf(target);
      if (check(call, GET, 8) === "probe") return nothing;
      return reply(8, (view) => view.setBigUint64(0, migration.dataSize(), true));
    }
    case Feature.DMA_LOGGING_START:
    case Feature.DMA_LOGGING_STOP:
    case Feature.DMA_LOGGING_REPORT:
      return dmaLogging(target, call);
    default: {
      const own = target.feature(call);
      if (own === null) throw new KernelError("ENOTTY", `${target.name} has no feature ${flags & MASK}`);
      return own;
    }
  }
}

/** struct vfio_device_feature_mig_state: device_state u32, data_fd s32. */
async function deviceState(migration: Migration, call: FeatureCall): Promise<FeatureReply> {
  const { GET, SET } = FeatureFlag;
  if (check(call, GET | SET, 8) === "probe") return nothing;
  if ((call.flags & GET) !== 0) return { data: stateBytes(migrationStates.indexOf(migration.state), -1) };
  const number = viewOf(call, 8).getUint32(0, true);
  const state = migrationStates[number];
  if (state === undefined) throw new KernelError("EINVAL", `MIG_DEVICE_STATE: there is no state ${number}`);
  const stream = await migration.set(state);
  return stream === null ? { data: stateBytes(number, -1) } : { data: stateBytes(number, 0), stream };
}

function dmaLogging(target: FeatureTarget, call: FeatureCall): FeatureReply {
  const { GET, SET, MASK } = FeatureFlag;
  const { dmaLog } = target;
  switch (call.flags & MASK) {
    case Feature.DMA_LOGGING_START: {
      // page_size u64, num_ranges u32, reserved u32, then iova u64 and length u64 of each.
      if (check(call, SET, 16) === "probe") return nothing;
      const view = viewOf(call, 16);
      const count = view.getUint32(8, true);
      if (count > (view.byteLength - 16) / 16) {
        throw new KernelError(
          "EINVAL",
          `DMA_LOGGING_START: ${count} ranges in ${view.byteLength - 16} bytes`,
        );
      }
      const ranges = Array.from({ length: count }, (_, index) => ({
        iova: view.getBigUint64(16 + index * 16, true),
        length: view.getBigUint64(24 + index * 16, true),
      }));
      dmaLog.start(view.getBigUint64(0, true), ranges);
      return nothing;
    }
    case Feature.DMA_LOGGING_STOP:
      if (check(call, SET, 0) === "probe") return nothing;
      dmaLog.stop();
      return nothing;
    default: {
      // iova u64, length u64, page_size u64, then the bitmap.
      if (check(call, GET, 24) === "probe") return nothing;
      const view = viewOf(call, 24);
      const bitmap = dmaLog.report(
        view.getBigUint64(0, true),
        view.getBigUint64(8, true),
        view.getBigUint64(16, true),
        call.argsz - headerBytes - 24,
      );
      const data = new Uint8Array(24 + bitmap.length);
      data.set(new Uint8Array(view.buffer, view.byteOffset, 24));
      data.set(bitmap, 24);
      return { data };
    }
  }
}

/** What each feature checks first (vfio_check_feature). */
function check({ flags, argsz }: FeatureCall, supported: number, bytes: number): "probe" | "do" {
  const { GET, SET, PROBE } = FeatureFlag;
  const wanted = flags & (GET | SET);
  if ((wanted & ~supported) !== 0)
    throw new KernelError("EINVAL", `FEATURE: flags 0x${flags.toString(16)} for what has no such side`);
  if ((flags & PROBE) !== 0) return "probe";
  if (wanted === 0) throw new KernelError("EINVAL", "FEATURE: neither GET, SET nor PROBE");
  if (argsz - headerBytes < bytes) {
    throw new KernelError("EINVAL", `FEATURE: argsz ${argsz} is less than ${headerBytes + bytes}`);
  }
  return "do";
}

function migrationOf({ migration, name }: FeatureTarget): Migration {
  if (migration !== null) return migration;
  throw new KernelError("ENOTTY", `${name} can't be migrated`);
}

/** The data that came, or as many zeros as are looked at. */
function viewOf({ data }: FeatureCall, bytes: number): DataView {
  const there = data ?? new Uint8Array(bytes);
  if (there.length < bytes)
    throw new KernelError("EINVAL", `FEATURE: ${there.length} bytes of data; ${bytes} are needed`);
  return new DataView(there.buffer, there.byteOffset, there.byteLength);
}

function stateBytes(state: number, file: number): Uint8Array {
  const data = new Uint8Array(8);
  const view = new DataView(data.buffer);
  view.setUint32(0, state, true);
  view.setInt32(4, file, true);
  return data;
}

function reply(bytes: number, fill: (view: DataView) => void): FeatureReply {
  const data = new Uint8Array(bytes);
  fill(new DataView(data.buffer));
  return { data };
}
