/** One connected guest kernel: its processes, and what of its slices it was offered. All of that ends with the connection. */

import { GLOBAL_CHANNEL, type VmbusHost } from "parhelion-buses";
import { isKernelError, type Runtime } from "parhelion-core";
import type { HostLimits } from "../limits.js";
import { LogThrottle } from "../log-throttle.js";
import type { Secrets } from "../secrets.js";
import type { Slice } from "../slices/slice.js";
import type { CommandError } from "../vgpu/command-error.js";
import { CommandTable } from "../vgpu/command-table.js";
import { globalCommands } from "../vgpu/global-commands.js";
import { GuestProcesses } from "../vgpu/guest-process.js";
import { type VgpuEnd, vgpuCommands } from "../vgpu/vgpu-commands.js";
import type { GuestReach } from "./guest-listener.js";
import { queueSocketName } from "./run-directory.js";
import { VgpuOffer } from "./vgpu-offer.js";

/** A token is good for one connection: 128 bits that nobody guesses, the size of its field. */
const tokenBytes = 16;
/** A kernel may take so long to say that it is there, in ms. */
const checkMs = 3000;

export interface GuestConnectionOptions {
  readonly runtime: Runtime;
  readonly limits: HostLimits;
  readonly secrets: Secrets;
  readonly vmbus: VmbusHost;
  /** The guest's id. */
  readonly guest: string;
  readonly reach: GuestReach;
}

export class GuestConnection {
  readonly processes: GuestProcesses;
  readonly reach: GuestReach;
  readonly #options: GuestConnectionOptions;
  readonly #offers = new Map<Slice, VgpuOffer>();
  readonly #commands: CommandTable<VgpuEnd>;

  constructor(options: GuestConnectionOptions) {
    const { runtime, limits, vmbus, guest } = options;
    this.#options = options;
    this.reach = options.reach;
    this.processes = new GuestProcesses(runtime, guest, limits);
    const failed = (command: string, error: unknown) =>
      runtime.log("error", "command.failed", { guest, command, error });
    const warnings = new LogThrottle(runtime);
    const full = (command: string, { message, detail }: CommandError) => {
      const { slice: whose, rule, limit, used, wanted } = detail;
      const slice = whose === guest ? undefined : whose;
      warnings.warn("limit.reached", { guest, command, reason: message, slice, rule, limit, used, wanted });
    };
    this.#commands = new CommandTable(vgpuCommands, failed, full);
    const global = new CommandTable(globalCommands, failed, full);
    vmbus.offer({
      interfaceType: GLOBAL_CHANNEL,
      interfaceInstance: runtime.ids.uuid(),
      request: ({ type, process, body }) => global.serve(this.processes, type, process, body),
      close: () => this.processes.destroyAll(),
    });
    vmbus.onClose(({ message }) => runtime.log("info", "guest.disconnected", { guest, reason: message }));
  }

  onClose(listener: () => void): void {
    this.#options.vmbus.onClose(listener);
  }

  offer(slice: Slice): void {
    const { runtime, vmbus, limits, secrets } = this.#options;
    if (vmbus.state === "closed") return;
    const end = {
      slice,
      processes: this.processes,
      limits,
      runtime,
      endpoint: queueSocketName(slice.index),
      reach: this.reach === "local" ? 0 : 1,
      adapterHandle: slice.generation,
      newToken: () => secrets.hex(tokenBytes),
    } as const;
    this.#offers.set(slice, new VgpuOffer(runtime, vmbus, this.#commands, end));
  }

  rescind(slice: Slice, reason: string): void {
    this.#offers.get(slice)?.rescind(reason);
    this.#offers.delete(slice);
  }

  /** Asks the kernel whether it is still there, and gives it up when it does not answer soon. Waits for nothing. */
  checkNow(): void {
    const { runtime, vmbus } = this.#options;
    runtime.scheduler.spawn("check of a kernel", async () => {
      try {
        await vmbus.check(checkMs);
      } catch (error) {
        // Who has no heartbeat is noticed when its connection ends.
        if (isKernelError(error, "ETIMEDOUT"))
          vmbus.cut(new Error(`no answer within ${checkMs} ms; another kernel waits`));
      }
    });
  }

  close(reason: string): void {
    this.#options.vmbus.close(new Error(reason));
  }
}
