/** A subchannel with a device that takes its time, passed through, and opened through VFIO by a user with memory of its own. */
import assert from "node:assert/strict";
import {
  type Ccw1,
  ccw1,
  Dstat,
  Fctl,
  irb as irbLayout,
  type Orb,
  orb as orbLayout,
  type Scsw,
  scsw as scswLayout,
} from "parhelion-buses";
import { Completion, Errno, type ErrnoCode, isKernelError, type Runtime } from "parhelion-core";
import { AttachedDevice, bytesMemory, EventCounter, IrqSetFlag } from "parhelion-vfio";
import type { ChannelDevice, DeviceLine, Ending } from "../interpreter/device.js";
import type { Answer } from "../storage/index.js";
import { type Rig, rig } from "./rig.test.fixture.js";

/** A device that takes its time: a command ends when the test says so, or when it is halted. */
export class Slow implements ChannelDevice {
  readonly #runtime: Runtime;
  readonly begun: Completion;
  #running: Completion<Ending> | null = null;
  line: DeviceLine | null = null;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.begun = new Completion(runtime, "begun");
  }

  execute(
    _command: unknown,
    data: { accept(): void; send(bytes: Uint8Array): Answer<number> },
  ): Promise<Ending> {
    data.accept();
    const running = new Completion<Ending>(this.#runtime, "command");
    this.#running = running;
    this.begun.complete();
    return running.wait({ deadline: Number.POSITIVE_INFINITY });
  }

  end(status = Dstat.CHN_END | Dstat.DEV_END): void {
    this.#running?.completeAll({ status });
  }

  halt(): void {
    this.end(0);
  }

  attached(line: DeviceLine): void {
    this.line = line;
  }
}

export interface Open {
  readonly machine: Rig;
  readonly slow: Slow;
  readonly user: AttachedDevice;
  readonly memory: Uint8Array;
  readonly io: EventCounter;
  readonly crw: EventCounter;
  readonly request: EventCounter;
}

export const chpid = 0x30;
export const offsets = [0n, 0x400n, 0x800n, 0xc00n] as const;

export async function open(options: Parameters<typeof rig>[0] = {}): Promise<Open> {
  const machine = await rig(options);
  const slow = new Slow(machine.runtime);
  const id = machine.machine.attach({ device: slow, devno: 0x777, chpids: [chpid, 0x31] });
  await machine.css.settle();
  await machine.css.settle();
  const user = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  const memory = new Uint8Array(16 * 4096);
  await user.map(0n, BigInt(memory.length), bytesMemory(memory));
  const counters = ["io", "crw", "request"].map((name) => new EventCounter(machine.runtime, name));
  for (const [index, counter] of counters.entries()) {
    await user.call("SET_IRQS", {
      argsz: 64,
      flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
      index,
      start: 0,
      count: 1,
      data: [counter],
    });
  }
  const [io, crw, request] = counters as [EventCounter, EventCounter, EventCounter];
  return { machine, slow, user, memory, io, crw, request };
}

export async function done({ machine, user }: Open): Promise<void> {
  await user.close().catch((error: unknown) => assert.ok(isKernelError(error, "EBADF")));
  await machine.end();
  assert.equal(machine.storage.used, 0);
}

export function ioBytes(orb: Partial<Orb>, fctl: number = Fctl.START): Uint8Array {
  const bytes = new Uint8Array(24);
  bytes.set(orbLayout.encode({ fmt: 1, pfch: 1, ...orb }));
  bytes.set(scswLayout.encode({ fctl }), 12);
  return bytes;
}

export async function answerOf(call: Promise<unknown>): Promise<"done" | ErrnoCode> {
  try {
    await call;
    return "done";
  } catch (error) {
    if (isKernelError(error)) return error.code;
    throw error;
  }
}

/** A write that meets the telling of a status is refused for that moment. */
export async function settled(write: () => Promise<unknown>): Promise<"done" | ErrnoCode> {
  for (;;) {
    const answer = await answerOf(write());
    if (answer !== "EAGAIN") return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Writes a request. The region says the same as the call. */
export async function start(
  { user }: Open,
  orb: Partial<Orb> = {},
  fctl?: number,
): Promise<"done" | ErrnoCode> {
  const answer = await settled(() => user.call("WRITE", { offset: 0n, bytes: ioBytes(orb, fctl) }));
  const region = await user.call("READ", { offset: 120n, length: 4 });
  const code = new DataView(region.buffer, region.byteOffset).getInt32(0);
  assert.equal(code, answer === "done" ? 0 : -Errno[answer]);
  return answer;
}

export async function stop({ user }: Open, command: number): Promise<"done" | ErrnoCode> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setUint32(0, command);
  return settled(() => user.call("WRITE", { offset: 0x400n, bytes }));
}

export async function statusOf({ user }: Open): Promise<Scsw> {
  return irbLayout.decode(await user.call("READ", { offset: 24n, length: 96 })).scsw;
}

export function program({ memory }: Open, ...ccws: readonly Partial<Ccw1>[]): void {
  for (const [index, ccw] of ccws.entries()) memory.set(ccw1.encode(ccw), index * 8);
}

export const control = { cmd: 0x07, count: 6, cda: 0x2000 };
