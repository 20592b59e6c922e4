/** What a device needs of the VFIO core that it belongs to. */
import type { DeviceClass, Runtime } from "parhelion-core";
import type { IommufdContext } from "../iommufd/context.js";
import type { FileHandle } from "./calls.js";
import type { DevSet } from "./dev-set.js";

export interface VfioHome {
  readonly runtime: Runtime;
  readonly deviceClass: DeviceClass;
  takeIndex(): number;
  giveIndex(index: number): void;
  /** The set of all that give the same key. */
  joinDevSet(key: unknown, name: string): DevSet;
  leaveDevSet(key: unknown, set: DevSet): void;
  /** @throws KernelError EBADF the file is closed, EBADFD it is no iommufd's */
  iommufdOf(file: FileHandle | null): IommufdContext;
}
