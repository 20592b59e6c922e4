/**
 * A device to serve: memory in region 0, and a region 1 whose words make it read and write its user's memory, interrupt, fail, or
 * take its time. It can be migrated, which takes its memory along.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Completion, createRuntime, KernelError, type LogRecord, type Runtime } from "parhelion-core";
import type { VfioDevice } from "../device/device.js";
import type { VfioDeviceOps } from "../device/ops.js";
import type { MigrationArc, MigrationStream } from "../migration/ops.js";
import { type Rig, rig, Toy } from "../toy.test.fixture.js";
import type { VfioUserOptions } from "./server/options.js";
import { VfioUserServer } from "./server/server.js";

/** What is written to the first word of region 1 does something. */
export const Action = { DMA_READ: 1, DMA_WRITE: 2, TRIGGER: 3, FAIL: 4, WAIT: 5, BREAK: 6 } as const;

export class Machine {
  readonly memory = new Uint8Array(64 * 1024);
  readonly trace: string[] = [];
  readonly quiesced: string[] = [];
  /** What ends a WAIT, and that one has begun. */
  readonly go: Completion;
  readonly waiting: Completion;
  readonly #registers = new DataView(new ArrayBuffer(64));
  device: VfioDevice | null = null;
  /** "stuck": its state leaves it when `go` is there. */
  saving: "at once" | "stuck" = "at once";

  constructor(runtime: Runtime) {
    this.go = new Completion(runtime, "go");
    this.waiting = new Completion(runtime, "waiting");
  }

  ops(): VfioDeviceOps {
    return {
      openDevice: () => void this.trace.push("open"),
      closeDevice: () => void this.trace.push("close"),
      regions: () => [
        {
          size: this.memory.length,
          access: "read-write",
          mmap: [{ offset: 0, size: 4096 }],
          type: { type: 5, subtype: 6 },
        },
        { size: 64, access: "read-write" },
        { size: 0, access: "none" },
        { size: 16, access: "read" },
      ],
      irqs: () => [{ count: 1, automasked: true }, { count: 0 }, { count: 8, noresize: true }],
      read: (region, offset, length) => this.#bytes(region).slice(offset, offset + length),
      write: (region, offset, bytes) => {
        this.#bytes(region).set(bytes, offset);
        return region === 1 && offset === 0 ? this.#act() : undefined;
      },
      reset: () => {
        this.trace.push("reset");
        this.memory.fill(0);
      },
      ioctl: (name, argument) => {
        if (name !== "QUIESCE") throw new KernelError("ENOTTY", name);
        this.quiesced.push(String(argument));
      },
      migration: { flags: 1, step: (arc) => this.#migrate(arc) },
    };
  }

  #bytes(region: number): Uint8Array {
    if (region === 0) return this.memory;
    return region === 1 ? new Uint8Array(this.#registers.buffer) : new Uint8Array(16).fill(3);
  }

  /** Registers: action u32, length u32, iova u64, index u32, vector u32. DMA goes to and from the begin of region 0. */
  async #act(): Promise<void> {
    const device = this.device as VfioDevice;
    const length = this.#registers.getUint32(4, true);
    const iova = this.#registers.getBigUint64(8, true);
    switch (this.#registers.getUint32(0, true)) {
      case Action.DMA_READ:
        this.memory.set(await device.dma.read(iova, length));
        return;
      case Action.DMA_WRITE:
        await device.dma.write(iova, this.memory.slice(0, length));
        return;
      case Action.TRIGGER:
        device.irqs.trigger(this.#registers.getUint32(16, true), this.#registers.getUint32(20, true));
        return;
      case Action.FAIL:
        throw new KernelError("EIO", "it was told to");
      case Action.BREAK:
        throw new TypeError("a mistake in a driver");
      case Action.WAIT:
        this.waiting.completeAll();
        await this.go.wait();
        return;
    }
  }

  #migrate({ to }: MigrationArc): MigrationStream | undefined {
    this.trace.push(to);
    let at = 0;
    if (to === "STOP_COPY") {
      return {
        // Never as much as was asked for: the end is no bytes.
        read: async (length) => {
          if (this.saving === "stuck") await this.go.wait();
          const piece = this.memory.slice(at, at + Math.min(length, 1000));
          at += piece.length;
          return piece;
        },
      };
    }
    if (to !== "RESUMING") return undefined;
    return {
      write: (bytes) => {
        this.memory.set(bytes, at);
        at += bytes.length;
      },
    };
  }
}

export interface Stage {
  readonly rig: Rig;
  readonly machine: Machine;
  readonly device: VfioDevice;
  readonly server: VfioUserServer;
  readonly log: LogRecord[];
  readonly directory: string;
  /** Settles when that is logged. */
  next(event: string): Promise<void>;
  end(): Promise<void>;
  /** The end, for who has taken the device away. */
  afterwards(): Promise<void>;
}

/** A machine that is served on a socket of its own. */
export async function stage(options: Partial<VfioUserOptions> = {}, revokeMs = 0): Promise<Stage> {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-vfio-user-"));
  const log: LogRecord[] = [];
  const listeners = new Map<string, () => void>();
  const runtime = createRuntime({
    log: (record) => {
      log.push(record);
      listeners.get(record.event)?.();
    },
  });
  const made = await rig({ revokeMs }, runtime);
  const machine = new Machine(runtime);
  const device = await made.registered(new Toy(), { iommu: "emulated" }, {}, { ops: () => machine.ops() });
  machine.device = device;
  const socketPath = join(directory, "device.sock");
  const server = await VfioUserServer.listen(made.system, { device: "vfio0", socketPath, ...options });
  const afterwards = async (): Promise<void> => {
    await made.end();
    rmSync(directory, { recursive: true });
  };
  return {
    rig: made,
    machine,
    device,
    server,
    log,
    directory,
    next: (event) => new Promise((resolve) => listeners.set(event, resolve)),
    async end() {
      await server.close();
      await made.gone(device);
      await afterwards();
    },
    afterwards,
  };
}
