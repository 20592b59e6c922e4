/** An open /dev/vfio/<group>. */
import { type FileOperations, KernelError, noDeadline } from "parhelion-core";
import type { FileHandle } from "../device/calls.js";
import { HandedFile } from "../device/handed-file.js";
import type { GroupReply, GroupRequest } from "./calls.js";
import type { ContainerOrIommufd, VfioGroup } from "./group.js";

export class GroupOperations implements FileOperations<GroupRequest, GroupReply> {
  readonly #group: VfioGroup;
  readonly #lookUp: (file: FileHandle) => ContainerOrIommufd;

  /** @param lookUp throws EBADFD for a file that is neither */
  constructor(group: VfioGroup, lookUp: (file: FileHandle) => ContainerOrIommufd) {
    this.#group = group;
    this.#lookUp = lookUp;
  }

  /** @throws KernelError as `VfioGroup`, ENODEV no such device in it, ENOTTY no such call */
  async request(request: GroupRequest): Promise<GroupReply> {
    const group = this.#group;
    switch (request.op) {
      case "GET_STATUS":
        return group.status(request.argsz);
      case "SET_CONTAINER":
        await group.setContainer(request.container, this.#lookUp);
        return undefined;
      case "UNSET_CONTAINER":
        await group.unsetContainer();
        return undefined;
      case "GET_DEVICE_FD": {
        const device = group.devices.find(({ subject }) => subject === request.name);
        if (device !== undefined) return device.openThroughGroup();
        throw new KernelError("ENODEV", `${group.name} has no device ${JSON.stringify(request.name)}`);
      }
      default:
        throw new KernelError("ENOTTY", `${group.name} does not know ${(request as { op: string }).op}`);
    }
  }

  /** A device's file that came too late for whoever asked: nobody else would ever close it. */
  async unclaimed(answer: GroupReply): Promise<void> {
    if (answer instanceof HandedFile) await answer.close({ deadline: noDeadline });
  }

  release(): Promise<void> {
    return this.#group.drop();
  }
}
