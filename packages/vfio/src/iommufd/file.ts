/** An open /dev/iommu. */
import { type FileOperations, KernelError } from "parhelion-core";
import { Extension, type IommuCalls } from "../container/calls.js";
import { type IommuRequest, isIommuRequest, type1Call } from "../container/type1-call.js";
import type { Ioas } from "../iommu/ioas.js";
import { lastIova } from "../iommu/ioas.js";
import type { IommufdCalls, IommufdReply, IommufdRequest } from "./calls.js";
import { IoasMapFlag } from "./calls.js";
import type { IommufdContext } from "./context.js";

export class IommufdOperations implements FileOperations<IommufdRequest, IommufdReply> {
  readonly context: IommufdContext;

  constructor(context: IommufdContext) {
    this.context = context;
  }

  /** @throws KernelError ENOENT no such address space, EBUSY, EOPNOTSUPP flags, and as each call; ENOTTY no such call */
  async request(request: IommufdRequest): Promise<IommufdReply> {
    const { context } = this;
    if (isIommuRequest(request)) return this.#compat(request);
    switch (request.op) {
      case "IOAS_ALLOC":
        if (request.flags !== 0) throw new KernelError("EOPNOTSUPP", `IOAS_ALLOC: flags ${request.flags}`);
        return { ioasId: context.alloc() };
      case "DESTROY":
        context.destroy(request.id);
        return undefined;
      case "IOAS_IOVA_RANGES": {
        const { ranges, pageSize } = context.find(request.ioasId).limits;
        return { ranges, alignment: pageSize };
      }
      case "IOAS_MAP":
        return map(context.find(request.ioasId), request);
      case "IOAS_UNMAP":
        return unmap(context.find(request.ioasId), request);
      case "GET_API_VERSION":
        return 0;
      case "CHECK_EXTENSION": {
        const { TYPE1, TYPE1v2, DMA_CC, UNMAP_ALL } = Extension;
        return ([TYPE1, TYPE1v2, DMA_CC, UNMAP_ALL] as number[]).includes(request.extension) ? 1 : 0;
      }
      case "SET_IOMMU":
        if (context.compat === null)
          throw new KernelError("ENODEV", `${context.name}: no group has taken it for a container`);
        if (request.type !== Extension.TYPE1 && request.type !== Extension.TYPE1v2) {
          throw new KernelError("EINVAL", `SET_IOMMU: there is no type ${request.type}`);
        }
        return undefined;
      default:
        throw new KernelError("ENOTTY", `${context.name} does not know ${(request as { op: string }).op}`);
    }
  }

  release(): void {
    this.context.put();
  }

  #compat(request: IommuRequest): Promise<IommuCalls[keyof IommuCalls]["reply"]> {
    const { compat, name } = this.context;
    if (compat === null) throw new KernelError("ENODEV", `${name}: no group has taken it for a container`);
    return type1Call(compat, request);
  }
}

/** @throws KernelError EOPNOTSUPP flags, EINVAL neither for reading nor writing, EOVERFLOW it wraps, ENOSPC no room for it, and as `Ioas.map` */
async function map(
  ioas: Ioas,
  { flags, iova, length, userVa, memory }: IommufdCalls["IOAS_MAP"]["request"],
): Promise<{ iova: bigint }> {
  const { FIXED_IOVA, READABLE, WRITEABLE } = IoasMapFlag;
  if ((flags & ~(FIXED_IOVA | READABLE | WRITEABLE)) !== 0) {
    throw new KernelError("EOPNOTSUPP", `IOAS_MAP: flags 0x${flags.toString(16)}`);
  }
  if ((flags & (READABLE | WRITEABLE)) === 0)
    throw new KernelError("EINVAL", "IOAS_MAP: neither readable nor writeable");
  if (length <= 0n) throw new KernelError("EINVAL", "IOAS_MAP: no bytes");
  if (iova + length - 1n > lastIova || userVa + length - 1n > lastIova) {
    throw new KernelError(
      "EOVERFLOW",
      `IOAS_MAP: 0x${length.toString(16)} bytes at 0x${iova.toString(16)} wrap`,
    );
  }
  const [readable, writable] = [(flags & READABLE) !== 0, (flags & WRITEABLE) !== 0];
  return ioas.mutex.withLock(() => {
    const at = (flags & FIXED_IOVA) !== 0 ? iova : freeIova(ioas, length);
    ioas.map({ iova: at, size: length, vaddr: userVa, memory, readable, writable });
    return { iova: at };
  });
}

/** @throws KernelError EINVAL no whole pages, EOVERFLOW it wraps, ENOENT nothing is mapped there, or a mapping would be cut */
async function unmap(
  ioas: Ioas,
  { iova, length }: IommufdCalls["IOAS_UNMAP"]["request"],
): Promise<{ length: bigint }> {
  const everything = iova === 0n && length === lastIova;
  const { pageSize } = ioas.limits;
  if (!everything && (length <= 0n || (iova | length) % pageSize !== 0n)) {
    throw new KernelError(
      "EINVAL",
      `IOAS_UNMAP: 0x${length.toString(16)} bytes at 0x${iova.toString(16)} are no whole pages`,
    );
  }
  if (!everything && iova + length - 1n > lastIova)
    throw new KernelError("EOVERFLOW", "IOAS_UNMAP: it wraps");
  return ioas.mutex.withLock(async () => {
    const going = ioas.overlapping(iova, everything ? lastIova + 1n : length);
    const cuts = !everything && (ioas.bisects(iova) || ioas.bisects(iova + length));
    if (cuts || (going.length === 0 && !everything)) {
      throw new KernelError(
        "ENOENT",
        `IOAS_UNMAP: 0x${length.toString(16)} bytes at 0x${iova.toString(16)} are ${cuts ? "part of a mapping" : "not mapped"}`,
      );
    }
    await ioas.unmap(going);
    return { length: going.reduce((sum, mapping) => sum + mapping.size, 0n) };
  });
}

/** The lowest that has room. Precondition: the mutex is held. */
function freeIova(ioas: Ioas, length: bigint): bigint {
  for (const { start, last } of ioas.limits.ranges) {
    let at = start;
    for (const mapping of ioas.mappings) {
      if (mapping.last < at) continue;
      if (mapping.iova >= at + length) break;
      at = mapping.last + 1n;
    }
    if (at + length - 1n <= last) return at;
  }
  throw new KernelError("ENOSPC", `IOAS_MAP: ${ioas.name} has no room for 0x${length.toString(16)} bytes`);
}
