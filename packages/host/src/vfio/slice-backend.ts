/**
 * A slice behind a vGPU that is served as a VFIO device: the commands that a guest's kernel sends on the vGPU's channel, for whoever
 * rings the device's doorbell. They reach the slice's engine as those do.
 */
import { connect } from "node:net";
import { type ConfigModel, vgpuConfigModel } from "parhelion-buses";
import type { Runtime } from "parhelion-core";
import type { VgpuBackend, VgpuCommand, VgpuNotice, VgpuReply, VgpuSession } from "parhelion-vfio";
import { SliceNotices } from "../guests/slice-notices.js";
import type { HostLimits } from "../limits.js";
import { LogThrottle } from "../log-throttle.js";
import type { Secrets } from "../secrets.js";
import type { Slice } from "../slices/slice.js";
import { asCommandError, type CommandError } from "../vgpu/command-error.js";
import { CommandTable } from "../vgpu/command-table.js";
import { globalCommands } from "../vgpu/global-commands.js";
import { GuestProcesses } from "../vgpu/guest-process.js";
import { type VgpuEnd, vgpuCommands } from "../vgpu/vgpu-commands.js";

export interface SliceBackendInit {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly slice: Slice;
}

/** A token is good for one connection: 128 bits that nobody guesses, the size of its field. */
const tokenBytes = 16;

export class SliceBackend implements VgpuBackend {
  readonly config: ConfigModel;
  readonly #init: SliceBackendInit;
  readonly #commands: CommandTable<VgpuEnd>;
  readonly #machine: CommandTable<GuestProcesses>;

  constructor(init: SliceBackendInit) {
    const { runtime, slice } = init;
    this.#init = init;
    this.config = vgpuConfigModel({ channelInstance: slice.uuid, luid: slice.luid });
    const failed = (command: string, error: unknown) =>
      runtime.log("error", "command.failed", { slice: slice.uuid, command, error });
    const warnings = new LogThrottle(runtime);
    const full = (command: string, { message, detail }: CommandError) => {
      const { rule, limit, used, wanted } = detail;
      warnings.warn("limit.reached", {
        slice: slice.uuid,
        command,
        reason: message,
        rule,
        limit,
        used,
        wanted,
      });
    };
    this.#commands = new CommandTable(vgpuCommands, failed, full);
    this.#machine = new CommandTable(globalCommands, failed, full);
  }

  open(notify: (notice: VgpuNotice) => void): VgpuSession {
    const { runtime, limits, slice, secrets } = this.#init;
    const processes = new GuestProcesses(runtime, slice.uuid, limits);
    const end: VgpuEnd = {
      slice,
      processes,
      limits,
      runtime,
      // Whole: the user has no run directory.
      endpoint: slice.queuePath,
      reach: 0,
      adapterHandle: slice.generation,
      newToken: () => secrets.hex(tokenBytes),
    };
    slice.listen(
      new SliceNotices(slice, ({ type, body }, value, process) =>
        notify({ type, process, body: body.encode(value) }),
      ),
    );
    return {
      serve: (command) => this.#serve(end, command),
      openQueue: () => connect(slice.queuePath),
      close() {
        slice.listen(null);
        processes.destroyAll();
        slice.destroyDevices("whoever used the vGPU has closed it");
      },
    };
  }

  async #serve(end: VgpuEnd, { channel, type, process, body }: VgpuCommand): Promise<VgpuReply> {
    try {
      const reply =
        channel === "vgpu"
          ? this.#commands.serve(end, type, process, body)
          : this.#machine.serve(end.processes, type, process, body);
      return { status: 0, body: await reply };
    } catch (error) {
      const { status, message, privateData } = asCommandError(error);
      // As a signed number failures are below zero.
      return {
        status: status | 0,
        body: privateData.length > 0 ? privateData : new TextEncoder().encode(message),
      };
    }
  }
}
