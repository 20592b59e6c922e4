/** What an open device answers. Whether it is open has been seen to. */
import { invoke, KernelError, type Named, type Runtime } from "parhelion-core";
import type { IrqTable } from "../irq/irq-table.js";
import type { DmaLog } from "../migration/dma-log.js";
import { feature } from "../migration/feature.js";
import type { Migration } from "../migration/migration.js";
import { chain, deviceInfoBytes } from "../region/layout.js";
import type { RegionPlaces } from "../region/place.js";
import type { Capability } from "../region/region.js";
import { DeviceFlag, type DeviceInfo, type DeviceReply, type DeviceRequest } from "./calls.js";
import type { VfioDeviceOps } from "./ops.js";

export interface AnsweringDevice extends Named {
  readonly runtime: Runtime;
  readonly ops: VfioDeviceOps;
  /** Without RESET and CAPS. */
  readonly flags: number;
  readonly capabilities: readonly Capability[];
  readonly regions: RegionPlaces;
  readonly irqs: IrqTable;
  readonly migration: Migration | null;
  readonly dmaLog: DmaLog;
}

/** What is not about the binding of the file itself. */
export type AnsweredRequest = Exclude<DeviceRequest, { readonly op: `${string}_IOMMUFD${string}` }>;

/** @throws KernelError EINVAL an argument, ENOTTY the device does not know the call, and what the driver throws */
export async function answer(device: AnsweringDevice, request: AnsweredRequest): Promise<DeviceReply> {
  const { ops, runtime } = device;
  switch (request.op) {
    case "GET_INFO":
      return infoOf(device, request.argsz);
    case "GET_REGION_INFO":
      return device.regions.info(request.argsz, request.index);
    case "GET_IRQ_INFO":
      return device.irqs.info(request.argsz, request.index);
    case "SET_IRQS": {
      const { index, start, count, action } = device.irqs.check(request);
      if (ops.setIrqs !== undefined) {
        await invoke(runtime, "setIrqs", device, () => ops.setIrqs?.({ index, start, count, action }));
      }
      // Once more, in the step in which it is done: others may have come between.
      device.irqs.apply(device.irqs.check(request));
      return undefined;
    }
    case "RESET":
      await reset(device);
      return undefined;
    case "FEATURE":
      return feature(
        {
          name: device.name,
          migration: device.migration,
          dmaLog: device.dmaLog,
          feature: (call) =>
            ops.feature === undefined
              ? null
              : invoke(
                  runtime,
                  "feature",
                  device,
                  async () => ops.feature?.(call) ?? { data: new Uint8Array() },
                ),
        },
        request,
      );
    case "READ": {
      const { index, offset } = device.regions.find("read", request.offset, request.length);
      const bytes = await invoke(runtime, "region.read", device, () =>
        ops.read(index, offset, request.length),
      );
      return bytes.length > request.length ? bytes.subarray(0, request.length) : bytes;
    }
    case "WRITE": {
      const { bytes } = request;
      const { index, offset } = device.regions.find("write", request.offset, bytes.length);
      const taken = await invoke(runtime, "region.write", device, () => ops.write(index, offset, bytes));
      return taken ?? bytes.length;
    }
    case "IOCTL":
      if (ops.ioctl === undefined)
        throw new KernelError("ENOTTY", `${device.name} does not know ${request.name}`);
      return invoke(runtime, "ioctl", device, () => ops.ioctl?.(request.name, request.argument));
    default:
      throw new KernelError("ENOTTY", `${device.name} does not know ${(request as { op: string }).op}`);
  }
}

function infoOf(device: AnsweringDevice, argsz: number): DeviceInfo {
  if (argsz < 16)
    throw new KernelError("EINVAL", `GET_INFO of ${device.name}: argsz ${argsz} is less than 16`);
  const { capabilities, ops } = device;
  const { RESET, CAPS } = DeviceFlag;
  return {
    ...chain(deviceInfoBytes, capabilities, argsz),
    flags: device.flags | (ops.reset === undefined ? 0 : RESET) | (capabilities.length > 0 ? CAPS : 0),
    numRegions: device.regions.count,
    numIrqs: device.irqs.indexes,
  };
}

async function reset(device: AnsweringDevice): Promise<void> {
  const { migration, ops, runtime } = device;
  if (ops.reset === undefined) throw new KernelError("ENOTTY", `${device.name} can't be reset`);
  const run = (): Promise<void> => invoke(runtime, "reset", device, () => ops.reset?.());
  await (migration === null ? run() : migration.reset(run));
}
