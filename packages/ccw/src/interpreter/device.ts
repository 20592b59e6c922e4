/** What a control unit is to the channel: commands come in, data moves through a path, an ending goes out. */
import type { Answer } from "../storage/answer.js";

export type CommandClass = "write" | "read" | "read-backward" | "control" | "sense";

/** The channel path by which a command comes. */
export interface CommandPath {
  readonly chpid: number;
  /** Its bit in the subchannel's path masks. */
  readonly mask: number;
}

export interface Command {
  /** The command code, modifier bits included. */
  readonly code: number;
  readonly kind: CommandClass;
  /** False: the first command of a start function. */
  readonly chained: boolean;
  readonly path: CommandPath;
}

/**
 * The way of a command's data. Each call ends before the next one begins; after the command's ending, and after a halt,
 * the path gives and takes nothing. Storage that is at hand answers at once: what a device does with it then takes no wait, and
 * should be done with none.
 */
export interface DataPath {
  /**
   * "cut": nothing moves any more, because the program was halted or cleared, or its data has a check, not because its CCWs
   * have no more. A device that writes can then keep what it has. Default "open".
   */
  readonly state?: "open" | "cut";
  /**
   * The command was accepted and takes time: for before a wait, and for a data phase without bytes. Moving data
   * implies it. A command that ends without it is immediate: format 0 knows no incorrect length for it.
   */
  accept(): void;
  /**
   * Write and control: the next bytes of main storage. Fewer than `length`: the channel has no more. They are the device's to
   * keep.
   */
  receive(length: number): Answer<Uint8Array>;
  /**
   * Write and control: all that the CCWs have, up to `most` bytes. For a device that goes by their count: where `receive`
   * asks for a byte more than there is, the length is incorrect; here it is not.
   */
  receiveRest(most: number): Answer<Uint8Array>;
  /** Read and sense: how many of `bytes` the channel took. Fewer than all: it takes no more. */
  send(bytes: Uint8Array): Answer<number>;
}

export interface Ending {
  /** Device status (`Dstat`). Without CHN_END the command was not accepted: busy, or a unit check at once. */
  readonly status: number;
  /** What a basic sense would tell, with UNIT_CHECK. Up to 32 bytes. */
  readonly sense?: Uint8Array;
  /** What the interface saw (`Cstat`: CHN_DATA_CHK, CHN_CTRL_CHK, INTF_CTRL_CHK, CHAIN_CHECK). Default 0. */
  readonly channelStatus?: number;
  /** With CHN_END and without DEV_END: waits for the device end. */
  readonly deviceEnd?: () => Promise<Ending>;
}

/** By which a device speaks up without having been asked. */
export interface DeviceLine {
  /** Presents status of its own accord, for example ATTENTION. It is kept while it can't be presented. */
  unsolicited(status: number): void;
}

/** A device with its control unit. What it throws out of a command is an interface control check. */
export interface ChannelDevice {
  execute(command: Command, data: DataPath): Answer<Ending>;
  /** A halt or clear function was signalled: a command or device end that is being waited for ends soon. */
  halt(signal: "halt" | "clear"): void;
  /**
   * The channel program is over, however it ended: nothing else comes in its domain. The status waits for this, and an
   * ending that it gives adds to it: its device status, and its sense in place of that of the last command.
   */
  programEnd?(): Answer<Ending | undefined>;
  /** System reset, or detached: reserves, path groups and pending sense are gone. */
  reset?(): void;
  /** Called when it is attached to a subchannel. */
  attached?(line: DeviceLine): void;
}
