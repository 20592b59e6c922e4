/**
 * A 3390 disk with its control unit, as a device of the channel subsystem. One channel program at a time moves the arm; what it wrote is
 * durable when its ending is presented.
 */
import { Dstat } from "parhelion-buses";
import { isImageError } from "../image/error.js";
import type { ChannelDevice, Command, DataPath, Ending } from "../interpreter/device.js";
import type { Answer } from "../storage/answer.js";
import { Arm } from "./arm.js";
import { controlCommands } from "./control-commands.js";
import type { Disk } from "./disk.js";
import {
  configurationData,
  type DasdIdentity,
  deviceCharacteristics,
  features,
  senseId,
  subsystemStatus,
} from "./identity.js";
import { PathGroups } from "./path-groups.js";
import { prefix } from "./prefix.js";
import { readCommands } from "./read-commands.js";
import { searchCommands } from "./search-commands.js";
import { commandReject, Sense0, Sense1, type SenseInit, senseBytes, UnitCheck } from "./sense.js";
import {
  CutOff,
  type Handler,
  type Handlers,
  outsideDomain,
  ProgramState,
  receiveAll,
  type Turn,
} from "./turn.js";
import { writeCommands } from "./write-commands.js";

export interface Dasd3390Options {
  readonly identity?: Partial<DasdIdentity>;
  /**
   * program: what a channel program wrote is durable before its ending. close: only a flush or the disk's close makes it so, which is
   * fast, and loses the last writes when the process dies; the image is whole all the same.
   */
  readonly durable?: "program" | "close";
  /** Told of every failure of the disk itself; the guest only gets sense bytes. */
  readonly onFailure?: (error: unknown) => void;
}

/** Locate record, its extended form, and prefix with one: a domain begins behind them. */
const locating: readonly number[] = [0x47, 0x4b, 0xe7];

const done = Dstat.CHN_END | Dstat.DEV_END;

/** After what was found, the commands that leave it found. */
const keeps: Readonly<Record<ProgramState["found"], readonly number[]>> = {
  nothing: [],
  home: [0x39, 0x19],
  id: [0x31, 0x0e, 0x0d, 0x06, 0x05],
  key: [0x29, 0x06, 0x05],
  written: [0x11, 0x15, 0x1d],
};

/** What another system's reserve does not keep out: unconditional reserve, sense, sense path group id. */
const passReserve: readonly number[] = [0x14, 0x04, 0x34];

export class Dasd3390 implements ChannelDevice {
  readonly #disk: Disk;
  readonly #identity: DasdIdentity;
  readonly #durable: "program" | "close";
  readonly #onFailure: (error: unknown) => void;
  readonly #arm: Arm;
  readonly #groups = new PathGroups();
  readonly #commands: Handlers;
  #program: ProgramState;
  #pendingSense: Uint8Array | undefined;

  /** @param disk a 3390; it belongs to whoever opened it. @throws RangeError for another kind of disk */
  constructor(disk: Disk, options: Dasd3390Options = {}) {
    if (disk.geometry.type.type !== 0x3390)
      throw new RangeError(
        `a ${disk.geometry.type.type.toString(16)} can't be attached; the control unit knows 3390`,
      );
    this.#disk = disk;
    this.#identity = { serial: "000000000001", unitAddress: 0, subsystem: 0, ...options.identity };
    this.#durable = options.durable ?? "program";
    this.#onFailure = options.onFailure ?? (() => undefined);
    this.#arm = new Arm(disk);
    this.#program = new ProgramState(disk.geometry);
    this.#commands = {
      ...readCommands,
      ...writeCommands,
      ...searchCommands,
      ...controlCommands,
      ...this.#ownCommands(),
    };
  }

  execute(command: Command, data: DataPath): Answer<Ending> {
    if (!command.chained) this.#begin();
    if (this.#groups.heldByOther(command.path) && !passReserve.includes(command.code))
      return { status: Dstat.BUSY };
    if (command.kind !== "sense" || command.code === 0xe4) this.#pendingSense = undefined;
    const turn: Turn = { command, data, program: this.#program, arm: this.#arm, disk: this.#disk };
    try {
      // Every command looks at the track or takes a while; none ends with its initial status.
      const extra = this.#handle(turn);
      if (!(extra instanceof Promise)) return this.#ended(turn, extra);
      return extra.then((status) => this.#ended(turn, status)).catch((error) => this.#checked(error));
    } catch (error) {
      return this.#checked(error);
    }
  }

  /** @param extra status besides channel end and device end */
  #ended(turn: Turn, extra: number): Ending {
    this.#leave(turn);
    return { status: done | extra };
  }

  /** No command waits for anything but the image's files, which answer. */
  halt(): void {}

  async programEnd(): Promise<Ending | undefined> {
    const program = this.#program;
    let ending: Ending | undefined;
    if (program.inDomain && program.previous !== 0x02)
      ending = this.#checked(
        new UnitCheck("the domain is incomplete", { sense0: Sense0.commandReject | Sense0.incompleteDomain }),
      );
    program.remaining = 0;
    if (program.wrote === "nothing" || this.#durable === "close") return ending;
    program.wrote = "nothing";
    try {
      await this.#disk.flush();
      return ending;
    } catch (error) {
      return this.#checked(error);
    }
  }

  reset(): void {
    this.#groups.reset();
    this.#pendingSense = undefined;
    this.#begin();
  }

  #begin(): void {
    this.#program = new ProgramState(this.#disk.geometry);
    this.#arm.restart();
  }

  #handle(turn: Turn): Answer<number> {
    const { command, program, arm } = turn;
    const handler = this.#commands[command.code];
    if (handler === undefined) throw commandReject("invalidCommand");
    if (program.prepared !== undefined && command.code !== 0x3e) throw commandReject("invalidSequence");
    if (program.inDomain && program.domain?.operation === "read-trackset" && command.code !== 0xde)
      throw commandReject("invalidSequence");
    const base = command.code & 0x7f;
    const searches = searchCommands[base] !== undefined;
    if (!(searches || base === 0x22 || command.code === 0x12)) arm.indexSeen = "no";
    if (searches) program.found = "nothing";
    return handler(turn);
  }

  /** What a command leaves to the next: where a write may begin, and how much of its domain is left. */
  #leave({ command, program }: Turn): void {
    const base = command.code & 0x7f;
    if (program.found !== "nothing" && !keeps[program.found].includes(base)) program.found = "nothing";
    if (program.inDomain && !locating.includes(command.code)) program.remaining -= 1;
    program.previous = command.code;
  }

  #checked(error: unknown): Ending {
    if (error instanceof CutOff) {
      this.#program.remaining = 0;
      return { status: done };
    }
    const init = this.#senseOf(error);
    const sense = senseBytes(init, this.#arm.address, this.#disk.geometry.cylinders);
    this.#pendingSense = sense;
    // A program that ended with unit check has no domain left.
    this.#program.remaining = 0;
    return { status: done | Dstat.UNIT_CHECK, sense };
  }

  #senseOf(error: unknown): SenseInit {
    if (error instanceof UnitCheck) return error.init;
    this.#onFailure(error);
    if (isImageError(error, "image-closed"))
      return { sense0: Sense0.interventionRequired, sense1: Sense1.permanentError };
    if (isImageError(error, "image-full") || isImageError(error, "image-read-only"))
      return { sense0: Sense0.equipmentCheck, sense1: Sense1.permanentError | Sense1.writeInhibited };
    if (isImageError(error, "image-track") || isImageError(error, "image-compression"))
      return { sense0: Sense0.dataCheck, sense1: Sense1.permanentError, format: 4 };
    return { sense0: Sense0.equipmentCheck, sense1: Sense1.permanentError, format: 1 };
  }

  #ownCommands(): Handlers {
    const { geometry } = this.#disk;
    const say =
      (bytes: () => Uint8Array): Handler =>
      async (turn) => {
        outsideDomain(turn);
        await turn.data.send(bytes());
        return 0;
      };
    const sense = () => {
      const bytes = this.#pendingSense ?? senseBytes({}, this.#arm.address, geometry.cylinders);
      this.#pendingSense = undefined;
      return bytes;
    };
    const reserving =
      (change: (turn: Turn) => void): Handler =>
      async (turn) => {
        outsideDomain(turn);
        if (turn.program.bounds !== "default") throw commandReject("invalidSequence");
        change(turn);
        await turn.data.send(sense());
        return 0;
      };
    return {
      4: say(sense),
      228: say(() => senseId(geometry)),
      100: say(() => deviceCharacteristics(geometry)),
      250: say(() => configurationData(geometry, this.#identity)),
      84: say(() => subsystemStatus(this.#identity)),
      // The buffered log is empty.
      164: say(() => new Uint8Array(32)),
      52: async ({ command, data }) => {
        await data.send(this.#groups.sense(command.path));
        return 0;
      },
      175: async (turn) => {
        this.#groups.set(turn.command.path, await receiveAll(turn, 12));
        return 0;
      },
      // Suspend multipath reconnection: there is none to suspend.
      91: async () => 0,
      39: performSubsystemFunction,
      231: prefix(this.#identity),
      62: readSubsystemData,
      180: reserving(({ command }) => this.#groups.reserve(command.path)),
      20: reserving(({ command }) => this.#groups.reserve(command.path)),
      148: reserving(({ command }) => this.#groups.release(command.path)),
    };
  }
}

/** Prepare for read subsystem data is the one order; feature codes the one thing to read. */
const performSubsystemFunction: Handler = async (turn) => {
  outsideDomain(turn);
  // Orders are of different lengths.
  const order = await turn.data.receiveRest(64);
  if (order.length < 7) throw commandReject("countTooSmall");
  if (order[0] !== 0x18 || order[6] !== 0x41) throw commandReject("invalidParameter");
  turn.program.prepared = features();
  return 0;
};

const readSubsystemData: Handler = async (turn) => {
  const { prepared } = turn.program;
  if (prepared === undefined) throw commandReject("invalidSequence");
  turn.program.prepared = undefined;
  await turn.data.send(prepared);
  return 0;
};
