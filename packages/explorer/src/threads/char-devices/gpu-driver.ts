/** A device with a node on the core that ships: what the safe variants run. */
import { Device, DeviceNode, isKernelError, type OpenFile, System } from "parhelion-core";
import type { World } from "../../program.js";

export interface DeviceWithNode {
  readonly system: System;
  readonly device: Device;
  readonly node: DeviceNode<string, string>;
}

/** Its state is plain memory that goes with the device's last reference. */
export function deviceWithNode(world: World): DeviceWithNode {
  const system = new System(world.runtime);
  const { runtime } = system;
  const state = world.allocate("device's state", { registers: "as after reset" });
  const node = new DeviceNode<string, string>(runtime, {
    name: "gpu0",
    open: async () => {
      await world.point("driver: open");
      void state.registers;
      return {
        request: async () => {
          await world.point("driver: request");
          return state.registers;
        },
        release: () => {
          void state.registers;
        },
      };
    },
  });
  const device = new Device(runtime, { name: "gpu0", node, release: () => world.free(state) });
  return { system, device, node };
}

/** Opens, asks once, closes; a device that is gone may answer ENODEV to the first two. */
export async function useOnce({ node }: DeviceWithNode): Promise<void> {
  let file: OpenFile<string, string>;
  try {
    file = await node.open();
  } catch (error) {
    if (isKernelError(error, "ENODEV")) return;
    throw error;
  }
  try {
    await file.request("read");
  } catch (error) {
    if (!isKernelError(error, "ENODEV")) throw error;
  } finally {
    await file.close();
  }
}
