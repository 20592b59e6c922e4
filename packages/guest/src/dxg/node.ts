/** The nodes of the driver: one for each vGPU, and the control node that lists them. They are devices of the class "dxg". */
import {
  Device,
  type DeviceClass,
  DeviceNode,
  type FileOperations,
  isKernelError,
  KernelError,
  type System,
} from "parhelion-core";
import { controlError, ioctl } from "parhelion-protocol";
import type { NodeNumbers } from "./node-numbers.js";
import type { NodeRequest } from "./request.js";
import type { Vgpu } from "./vgpu.js";

export const dxgClass: DeviceClass = Object.freeze({ name: "dxg" });

export const CONTROL_NODE = "dxg";
/** Only the user that runs the guest kernel. */
const nodeMode = 0o600;
/** Most vGPUs of one guest. */
export const MAX_VGPUS = 256;

export class VgpuNode extends DeviceNode<NodeRequest, Uint8Array> {
  readonly vgpu: Vgpu;
  /** In its name. */
  readonly number: number;

  constructor(number: number, vgpu: Vgpu) {
    const name = `${CONTROL_NODE}${number}`;
    super(vgpu.runtime, { name, mode: nodeMode, open: (file) => vgpu.open(file) });
    this.vgpu = vgpu;
    this.number = number;
  }
}

/** The vGPUs that can be opened now, by the order of their names' numbers. */
export function liveVgpus(system: System): readonly VgpuNode[] {
  const nodes = system.nodes.list().filter((node): node is VgpuNode => node instanceof VgpuNode);
  return nodes.sort((a, b) => a.number - b.number);
}

/** Adds the vGPU's class device and its node, under the best free number. @throws KernelError ENOSPC, ENODEV */
export async function addVgpuNode(
  system: System,
  vgpu: Vgpu,
  parent: Device,
  numbers: NodeNumbers,
): Promise<Device> {
  for (const number of numbers.candidates(vgpu.instance)) {
    const name = `${CONTROL_NODE}${number}`;
    if (system.nodes.get(name) !== undefined) continue;
    const node = new VgpuNode(number, vgpu) as DeviceNode;
    const device = new Device(system.runtime, { name, class: dxgClass, parent, node });
    try {
      await system.addDevice(device);
      numbers.took(vgpu.instance);
      return device;
    } catch (error) {
      device.put();
      // Another probe was quicker with this number.
      if (!isKernelError(error, "EEXIST")) throw error;
    }
  }
  throw new KernelError("ENOSPC", `${MAX_VGPUS} vGPUs have nodes, the limit for one guest`);
}

/** The control node needs nothing from the host and is there before anything is offered: its list is empty then. */
export async function addControlNode(system: System): Promise<Device> {
  const operations: FileOperations<NodeRequest, Uint8Array> = {
    request(request) {
      if (request.kind === "listen") return new Uint8Array(0);
      if (request.type !== ioctl.enumAdapters3.type) {
        throw controlError(
          "ENOTTY",
          `request 0x${request.type.toString(16)} is not supported by the control node; open a vGPU's`,
        );
      }
      ioctl.enumAdapters3.request.decode(request.body);
      const adapters = liveVgpus(system).map(({ name, vgpu }) => ({
        node: name,
        luid: vgpu.luid,
        instance: vgpu.instance,
      }));
      return ioctl.enumAdapters3.reply.encode({ adapters });
    },
  };
  const node = new DeviceNode<NodeRequest, Uint8Array>(system.runtime, {
    name: CONTROL_NODE,
    mode: nodeMode,
    open: () => operations,
  });
  const device = new Device(system.runtime, {
    name: CONTROL_NODE,
    class: dxgClass,
    node: node as DeviceNode,
  });
  await system.addDevice(device);
  return device;
}
