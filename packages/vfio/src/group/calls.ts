/** What can be asked of an open group (/dev/vfio/<group>), under the names of the ioctls. */
import type { OpenFile } from "parhelion-core";
import type { DeviceFile, FileHandle, ReplyOf, RequestOf } from "../device/calls.js";

export const GroupFlag = { VIABLE: 1, CONTAINER_SET: 2 } as const;

export interface GroupCalls {
  GET_STATUS: {
    request: { readonly argsz: number };
    reply: { readonly argsz: number; readonly flags: number };
  };
  /** A container's file or an iommufd's. */
  SET_CONTAINER: { request: { readonly container: FileHandle | null }; reply: undefined };
  UNSET_CONTAINER: { request: object; reply: undefined };
  /** @param name of the device that the driver is bound to, for an mdev its uuid */
  GET_DEVICE_FD: { request: { readonly name: string }; reply: DeviceFile };
}

export type GroupRequest = RequestOf<GroupCalls>;
export type GroupReply = ReplyOf<GroupCalls>;
export type GroupFile = OpenFile<GroupRequest, GroupReply>;
