/** A guest with one vGPU, and what most tests ask of it first. */
import type { TestContext } from "node:test";
import type { HostChannel } from "parhelion-buses";
import { ioctl, isControlError, type StatusCode } from "parhelion-protocol";
import type { TestHost } from "./host.test.fixture.js";
import type { GuestKernel } from "./index.js";
import { type Application, createRig, type Rig } from "./rig.test.fixture.js";

export interface Scene extends Rig {
  readonly kernel: GuestKernel;
  readonly host: TestHost;
  readonly channel: HostChannel;
}

export async function scene(t: TestContext): Promise<Scene> {
  const rig = await createRig(t);
  const channels: HostChannel[] = [];
  const { kernel, host } = await rig.start((contact) => {
    contact.offerGlobal();
    channels.push(contact.offerVgpu(0));
  });
  return { ...rig, kernel, host, channel: channels[0] as HostChannel };
}

export async function openAdapter({ connection }: Application): Promise<number> {
  return (await connection.call(ioctl.openAdapterFromLuid, { luid: 0x1000n })).adapter;
}

export const refused = (code: StatusCode) => (error: unknown) => isControlError(error, code);
