/** One bound vGPU: what the host said of it, its channels, and the processes that have its node open. */

import type { Command, VmbusChannel } from "parhelion-buses";
import type { Named, OpenFile, Runtime } from "parhelion-core";
import {
  type ControlError,
  type GuestMemoryChanged,
  guestCommand,
  limitReached,
  nodeMessage,
  vgpuCommand,
  vmCommand,
} from "parhelion-protocol";
import { DxgFile } from "./file.js";
import { DxgProcess, type ProcessHome } from "./process.js";
import type { Queues } from "./queues.js";

export interface VgpuInit {
  readonly runtime: Runtime;
  readonly channel: VmbusChannel;
  readonly global: VmbusChannel;
  readonly instance: string;
  readonly luid: bigint;
  readonly queues: Queues;
  /** What applications read synchronously has changed. */
  readonly changed: () => void;
  /** For the world's ears: the slice's memory is another one. */
  readonly memoryChanged: (memory: GuestMemoryChanged) => void;
}

/** Most processes (open files) of one vGPU. */
export const MAX_FILES = 4096;

export class Vgpu implements ProcessHome {
  readonly runtime: Runtime;
  readonly channel: VmbusChannel;
  readonly instance: string;
  readonly luid: bigint;
  readonly queues: Queues;
  readonly #global: VmbusChannel;
  /** Stands for the fields below. */
  readonly #tables: Named;
  readonly #changed: () => void;
  readonly #memoryChanged: (memory: GuestMemoryChanged) => void;
  /** By the host's handle. */
  readonly #processes = new Map<number, DxgProcess>();
  #wgslLanguageFeatures: readonly string[] = [];

  constructor(init: VgpuInit) {
    this.runtime = init.runtime;
    this.channel = init.channel;
    this.instance = init.instance;
    this.luid = init.luid;
    this.queues = init.queues;
    this.#global = init.global;
    this.#tables = { name: `vGPU ${init.instance}` };
    this.#changed = init.changed;
    this.#memoryChanged = init.memoryChanged;
  }

  /** Empty while the host does not know them. */
  get wgslLanguageFeatures(): readonly string[] {
    this.#access("read");
    return this.#wgslLanguageFeatures;
  }

  get processes(): number {
    this.#access("read");
    return this.#processes.size;
  }

  /** Why there is no such vGPU any more, for whoever used it. */
  get goneBecause(): string {
    return (
      this.channel.goneBecause ??
      this.#global.goneBecause ??
      "its driver was unbound, or the guest kernel stopped"
    );
  }

  /** Asks the host what must be known before anyone opens the node. @throws what the channel throws */
  async refresh(): Promise<void> {
    const { wgslLanguageFeatures } = await this.channel.request(vgpuCommand.getInternalAdapterInfo, {});
    this.#access("write");
    this.#wgslLanguageFeatures = wgslLanguageFeatures;
    this.#changed();
  }

  /** Every open file is a process of the host's. @throws what the channel throws; EMFILE */
  async open(file: OpenFile): Promise<DxgFile> {
    this.#access("read");
    if (this.#processes.size >= MAX_FILES) throw this.#tooMany();
    const { pid = 0, comm = "" } = file.opener;
    const late = ({ process }: { readonly process: number }): void =>
      this.runtime.scheduler.spawn("late reply to createProcess", async () => {
        try {
          await this.#global.request(vmCommand.destroyProcess, {}, { process });
        } catch (error) {
          this.runtime.log("debug", "dxg.release-untold", { file: file.name, error });
        }
      });
    const asked = { processId: pid, name: comm === "" ? file.name : comm };
    const { process } = await this.#global.request(vmCommand.createProcess, asked, { late });
    const opened = new DxgProcess(this, process, file.name);
    this.#access("write");
    this.#processes.set(process, opened);
    return new DxgFile(opened);
  }

  async closed(process: DxgProcess): Promise<void> {
    this.#access("write");
    this.#processes.delete(process.host);
    await this.#global.request(vmCommand.destroyProcess, {}, { process: process.host });
  }

  /** What the host says on the vGPU's channel by itself. Unknown processes and devices have just gone. */
  onCommand({ process, type, body }: Command): void {
    this.#access("read");
    if (type === guestCommand.deviceLost.type) {
      this.#processes.get(process)?.deviceLost(guestCommand.deviceLost.body.decode(body));
    } else if (type === guestCommand.memoryChanged.type) {
      const memory = guestCommand.memoryChanged.body.decode(body);
      for (const opened of this.#processes.values()) opened.tell(nodeMessage.memoryChanged, memory);
      this.#memoryChanged(memory);
    } else if (type === guestCommand.adapterInfoChanged.type) {
      this.runtime.scheduler.spawn("refresh of the adapter's description", async () => {
        try {
          await this.refresh();
        } catch (error) {
          this.runtime.log("warn", "dxg.refresh-failed", { instance: this.instance, error });
        }
      });
    }
  }

  #tooMany(): ControlError {
    return limitReached("EMFILE", {
      slice: this.instance,
      rule: "filesPerVgpu",
      limit: MAX_FILES,
      used: this.#processes.size,
      wanted: 1,
      remedy: "end programs that use this vGPU",
    });
  }

  #access(mode: "read" | "write"): void {
    this.runtime.scheduler.access(this.#tables, mode);
  }
}
