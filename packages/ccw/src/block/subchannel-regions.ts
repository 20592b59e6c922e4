/** Where the regions of a subchannel's VFIO device are, by what the device says of them: offsets are never computed. */
import { KernelError } from "parhelion-core";
import { DeviceFlag, type OpenDevice, RegionCap } from "parhelion-vfio";
import {
  VFIO_CCW_REGION,
  VFIO_CCW_REGION_BYTES,
  VFIO_CCW_REGION_SUBTYPE,
  VFIO_CCW_REGION_TYPE,
} from "../vfio-ccw/abi.js";

/** File offsets. Those that the device does not have are null. */
export interface SubchannelRegions {
  readonly io: bigint;
  readonly command: bigint | null;
  readonly schib: bigint | null;
  readonly crw: bigint | null;
}

/** Room for the structure and its capabilities. */
const argsz = 256;
const capHeaderBytes = 8;

/** @throws KernelError EINVAL it is no subchannel, or not one as this code knows them */
export async function findRegions(device: OpenDevice): Promise<SubchannelRegions> {
  const { flags, numRegions } = await device.call("GET_INFO", { argsz });
  if ((flags & DeviceFlag.CCW) === 0) throw new KernelError("EINVAL", `${device.name} is no subchannel`);
  const io = await device.call("GET_REGION_INFO", { argsz, index: VFIO_CCW_REGION.io });
  if (io.size < BigInt(VFIO_CCW_REGION_BYTES.io)) {
    throw new KernelError(
      "EINVAL",
      `${device.name} has an io region of ${io.size} bytes; it should be larger`,
    );
  }
  const found = new Map<number, bigint>();
  for (let index = 1; index < numRegions; index += 1) {
    const { capabilities, capOffset, offset } = await device.call("GET_REGION_INFO", { argsz, index });
    const subtype = subtypeOf(capabilities, capOffset);
    if (subtype !== null) found.set(subtype, offset);
  }
  return {
    io: io.offset,
    command: found.get(VFIO_CCW_REGION_SUBTYPE.command) ?? null,
    schib: found.get(VFIO_CCW_REGION_SUBTYPE.schib) ?? null,
    crw: found.get(VFIO_CCW_REGION_SUBTYPE.crw) ?? null,
  };
}

/** Walks the chain. @param start where in the structure it begins: what points into it counts from the structure's begin */
function subtypeOf(chain: Uint8Array, start: number): number | null {
  const view = new DataView(chain.buffer, chain.byteOffset, chain.byteLength);
  let at = 0;
  // Each capability is seen at most once, whatever a chain says.
  for (let seen = 0; seen < chain.length && at >= 0 && at + capHeaderBytes <= chain.length; seen += 1) {
    const isType = view.getUint16(at, true) === RegionCap.TYPE && at + 2 * capHeaderBytes <= chain.length;
    if (isType && view.getUint32(at + 8, true) === VFIO_CCW_REGION_TYPE) return view.getUint32(at + 12, true);
    const next = view.getUint32(at + 4, true);
    if (next === 0) return null;
    at = next - start;
  }
  return null;
}
