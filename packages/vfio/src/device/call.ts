/** Asks an open file, and knows what it answers. */
import type { WaitOptions } from "parhelion-core";
import type { ContainerCalls, ContainerFile, ContainerRequest } from "../container/calls.js";
import type { GroupCalls, GroupFile, GroupRequest } from "../group/calls.js";
import type { IommufdCalls, IommufdFile, IommufdRequest } from "../iommufd/calls.js";
import type { DeviceCalls, DeviceFile, DeviceRequest } from "./calls.js";

/** @throws KernelError as the call, ENODEV the device is gone, EBADF the file is closed, ETIMEDOUT */
export async function deviceCall<K extends keyof DeviceCalls>(
  file: DeviceFile,
  op: K,
  argument: DeviceCalls[K]["request"],
  options?: WaitOptions,
): Promise<DeviceCalls[K]["reply"]> {
  return (await file.request({ op, ...argument } as DeviceRequest, options)) as DeviceCalls[K]["reply"];
}

/** @throws KernelError as `deviceCall` */
export async function groupCall<K extends keyof GroupCalls>(
  file: GroupFile,
  op: K,
  argument: GroupCalls[K]["request"],
  options?: WaitOptions,
): Promise<GroupCalls[K]["reply"]> {
  return (await file.request({ op, ...argument } as GroupRequest, options)) as GroupCalls[K]["reply"];
}

/** @throws KernelError as `deviceCall` */
export async function containerCall<K extends keyof ContainerCalls>(
  file: ContainerFile,
  op: K,
  argument: ContainerCalls[K]["request"],
  options?: WaitOptions,
): Promise<ContainerCalls[K]["reply"]> {
  return (await file.request({ op, ...argument } as ContainerRequest, options)) as ContainerCalls[K]["reply"];
}

/** @throws KernelError as `deviceCall` */
export async function iommufdCall<K extends keyof IommufdCalls>(
  file: IommufdFile,
  op: K,
  argument: IommufdCalls[K]["request"],
  options?: WaitOptions,
): Promise<IommufdCalls[K]["reply"]> {
  return (await file.request({ op, ...argument } as IommufdRequest, options)) as IommufdCalls[K]["reply"];
}
