/** What QUERYADAPTERINFO answers, by type. Layouts of the numbered types are those of d3dkmthk.h. */
import { type AdapterDescription, NtStatus } from "parhelion-protocol";
import { CommandError } from "./command-error.js";

export const AdapterQuery = {
  ADAPTERTYPE: 15,
  PHYSICALADAPTERDEVICEIDS: 31,
  ADAPTERTYPE_RENDER: 57,
  DRIVER_DESCRIPTION: 65,
  /** Ours: UTF-8 JSON AdapterDescription. */
  WEBGPU: 0x1000,
} as const;

const AdapterType = { RENDER: 1 << 0, SOFTWARE: 1 << 2, PARAVIRTUALIZED: 1 << 7 } as const;

/** D3DKMT_DRIVER_DESCRIPTION holds 4096 UTF-16 units. */
const driverDescriptionUnits = 4096;

export const vgpuPciId = { vendor: 0x1414, device: 0x008e } as const;

/** @throws CommandError NOT_SUPPORTED */
export function queryAdapter(description: AdapterDescription, infoType: number): Uint8Array {
  switch (infoType) {
    case AdapterQuery.WEBGPU:
      return new TextEncoder().encode(JSON.stringify(description));
    case AdapterQuery.ADAPTERTYPE:
    case AdapterQuery.ADAPTERTYPE_RENDER: {
      const software = description.info.isFallbackAdapter ? AdapterType.SOFTWARE : 0;
      return words(AdapterType.RENDER | AdapterType.PARAVIRTUALIZED | software);
    }
    case AdapterQuery.PHYSICALADAPTERDEVICEIDS:
      // Physical adapter index, then vendor, device, subsystem vendor, subsystem, revision, bus type.
      return words(0, vgpuPciId.vendor, vgpuPciId.device, vgpuPciId.vendor, 0, 0, 0);
    case AdapterQuery.DRIVER_DESCRIPTION: {
      const units = new Uint16Array(driverDescriptionUnits);
      const text = describeAdapter(description).slice(0, driverDescriptionUnits - 1);
      for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
      return new Uint8Array(units.buffer);
    }
    default:
      throw new CommandError(NtStatus.NOT_SUPPORTED, `adapter information of type ${infoType} is not kept`);
  }
}

/** For people. */
export function describeAdapter({ info }: AdapterDescription): string {
  // Drivers leave gaps in their names, and Dawn hyphens in their place.
  const words = [info.vendor, info.device, info.architecture]
    .map((word) => word.replace(/[-\s]+$/, ""))
    .filter((word) => word !== "");
  const name = words.length > 0 ? words.join(" ") : "unnamed adapter";
  return info.description === "" ? name : `${name} (${info.description})`;
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}
