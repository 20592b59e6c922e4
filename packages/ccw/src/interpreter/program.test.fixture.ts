/** Channel programs written by hand, on a device whose commands are functions. */
import { CcwFlag, ccw0, ccw1, Dstat } from "parhelion-buses";
import { createRuntime, type LogRecord } from "parhelion-core";
import { AbsoluteStorage, type MainStorage } from "../storage/index.js";
import type { Conclusion, Ended, Intermediate } from "./conclusion.js";
import type { StartControls } from "./controls.js";
import type { ChannelDevice, Command, DataPath, Ending } from "./device.js";
import { ChannelProgram, type ProgramLimits } from "./program.js";

export const programAt = 0x200;
export const dataAt = 0x1000;
export const done = Dstat.CHN_END | Dstat.DEV_END;

export interface CcwInit {
  readonly cmd: number;
  readonly flags?: readonly (keyof typeof CcwFlag)[];
  readonly count?: number;
  readonly cda?: number;
}

export type Handler = (
  data: DataPath,
  command: Command,
) => Ending | Promise<Ending> | number | Promise<number>;

/** Device status instead of an ending is an ending with that status. */
export class FunctionDevice implements ChannelDevice {
  readonly commands: Command[] = [];
  readonly signals: string[] = [];
  readonly #handlers: Readonly<Record<number, Handler>>;
  atEnd: () => Ending | undefined = () => undefined;
  ends = 0;

  constructor(handlers: Readonly<Record<number, Handler>>) {
    this.#handlers = handlers;
  }

  async execute(command: Command, data: DataPath): Promise<Ending> {
    this.commands.push(command);
    const answer = await this.#handlers[command.code]?.(data, command);
    return typeof answer === "object" ? answer : { status: answer ?? done };
  }

  halt(signal: "halt" | "clear"): void {
    this.signals.push(signal);
  }

  programEnd(): Ending | undefined {
    this.ends += 1;
    return this.atEnd();
  }

  get codes(): readonly number[] {
    return this.commands.map(({ code }) => code);
  }
}

export class Rig {
  readonly logs: LogRecord[] = [];
  readonly runtime = createRuntime({ log: (record) => this.logs.push(record) });
  readonly storage: AbsoluteStorage;
  readonly device: FunctionDevice;
  readonly intermediates: Intermediate[] = [];

  constructor(handlers: Readonly<Record<number, Handler>> = {}, storageSize = 0x8000) {
    this.storage = new AbsoluteStorage(new Uint8Array(storageSize));
    this.device = new FunctionDevice(handlers);
  }

  put(address: number, format: 0 | 1, ccws: readonly CcwInit[]): void {
    for (const [index, { cmd, flags = [], count = 0, cda = 0 }] of ccws.entries()) {
      const bits = flags.reduce((all, flag) => all | CcwFlag[flag], 0);
      const bytes = (format === 0 ? ccw0 : ccw1).encode({ cmd, flags: bits, count, cda });
      this.storage.bytes.set(bytes, address + index * 8);
    }
  }

  program(
    ccws: readonly CcwInit[],
    controls: Partial<StartControls> = {},
    limits: ProgramLimits = {},
    storage: MainStorage = this.storage,
  ): ChannelProgram {
    const format = controls.format ?? 1;
    this.put(programAt, format, ccws);
    return new ChannelProgram(this.runtime, {
      name: "test",
      storage,
      device: this.device,
      path: { chpid: 0x10, mask: 0x80 },
      limits,
      intermediate: (status) => this.intermediates.push(status),
      controls: {
        cpa: programAt,
        key: 0,
        format,
        suspend: "allowed",
        initialStatus: "quiet",
        idawFormat: 1,
        idawBlock: 2048,
        immediateLength: format === 1 ? "checked" : "ignored",
        ...controls,
      },
    });
  }

  async run(
    ccws: readonly CcwInit[],
    controls?: Partial<StartControls>,
    limits?: ProgramLimits,
  ): Promise<Ended> {
    return ended(await this.program(ccws, controls, limits).run());
  }
}

export function ended(conclusion: Conclusion): Ended {
  if (conclusion.state !== "ended") throw new Error(`the program is ${conclusion.state}`);
  return conclusion;
}

/** What a test says about an end: the rest is as it is after all went well. */
export function summary({ cpa, count, dstat, cstat, deferred }: Ended): object {
  return { ccws: (cpa - programAt) / 8, count, dstat, cstat, deferred };
}
