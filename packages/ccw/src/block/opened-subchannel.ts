/** A disk's subchannel as both libraries of this folder begin with it: in use, with memory that it shares, and known by its characteristics. */
import { isKernelError, type Runtime } from "parhelion-core";
import type { OpenDevice } from "parhelion-vfio";
import { EckdCommand } from "./eckd.js";
import { areaBytes, ProgramArea } from "./program-area.js";
import { ProgramRunner, type RunnerOptions } from "./program-runner.js";
import { type SubchannelListener, SubchannelUser } from "./subchannel-user.js";

export interface OpenedSubchannel {
  readonly device: OpenDevice;
  readonly user: SubchannelUser;
  readonly area: ProgramArea;
  readonly runner: ProgramRunner;
  /** What read device characteristics has answered. */
  readonly characteristics: Uint8Array;
}

export interface SubchannelChoices extends Partial<RunnerOptions> {
  /** Where the memory that is shared with the device is to be, for the device; below 2 GiB. Default 0. */
  readonly iova?: number;
}

const characteristicsBytes = 64;

/**
 * @param device open; closed when this fails @param blocks so many that a channel program moves
 * @throws KernelError EINVAL it is no subchannel; EOPNOTSUPP no interrupts @throws BlockError it does not answer
 */
export async function openSubchannel(
  runtime: Runtime,
  device: OpenDevice,
  blocks: number,
  listener: SubchannelListener,
  { iova = 0, timeoutMs = 10_000, retries = 8 }: SubchannelChoices,
): Promise<OpenedSubchannel> {
  let user: SubchannelUser | null = null;
  try {
    const area = new ProgramArea(await device.share(BigInt(iova), areaBytes(blocks)), iova);
    user = await SubchannelUser.open(runtime, device, listener);
    const runner = new ProgramRunner(runtime, user, area, { timeoutMs, retries });
    const at = area.block(0);
    await runner.run("read device characteristics", [
      { code: EckdCommand.readDeviceCharacteristics, at, count: characteristicsBytes },
    ]);
    return { device, user, area, runner, characteristics: area.take(at, characteristicsBytes) };
  } catch (error) {
    // First: that the device lets go of its triggers is then no loss that anybody is told of.
    await user?.close();
    await letGo(device);
    throw error;
  }
}

export async function letGo(device: OpenDevice): Promise<void> {
  try {
    await device.close();
  } catch (error) {
    // Whoever had it has closed it.
    if (!isKernelError(error, "EBADF")) throw error;
  }
}
