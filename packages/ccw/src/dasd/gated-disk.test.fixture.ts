/** A disk that stops before a command until its test lets it go on: what is to happen in the middle of a channel program happens there. */
import { Dstat } from "parhelion-buses";
import type { ChannelDevice, Command, DataPath, DeviceLine, Ending } from "../interpreter/device.js";
import type { Answer } from "../storage/storage.js";

export interface Gate {
  /** Settles when a channel program stands before it. */
  readonly reached: Promise<void>;
  /** Lets it go on. */
  open(): void;
}

interface Closed {
  readonly code: number;
  /** Commands of that code that pass before. */
  left: number;
  readonly reach: () => void;
  readonly opened: Promise<"go on" | "stop">;
  readonly release: (how: "go on" | "stop") => void;
}

export class GatedDisk implements ChannelDevice {
  readonly #inner: ChannelDevice;
  #closed: Closed | null = null;

  constructor(inner: ChannelDevice) {
    this.#inner = inner;
  }

  /** Closes a gate before the next command of that code, or one behind it; once. */
  stopAt(code: number, behind = 0): Gate {
    let reach = (): void => undefined;
    let release = (_: "go on" | "stop"): void => undefined;
    const reached = new Promise<void>((resolve) => {
      reach = resolve;
    });
    const opened = new Promise<"go on" | "stop">((resolve) => {
      release = resolve;
    });
    this.#closed = { code, left: behind, reach, opened, release };
    return { reached, open: () => release("go on") };
  }

  /** Opens whatever is closed. */
  release(): void {
    this.#closed?.release("go on");
  }

  async execute(command: Command, data: DataPath): Promise<Ending> {
    const gate = this.#closed;
    if (gate?.code === command.code && gate.left-- === 0) {
      data.accept();
      gate.reach();
      const how = await gate.opened;
      if (this.#closed === gate) this.#closed = null;
      if (how === "stop") return { status: Dstat.CHN_END | Dstat.DEV_END };
    }
    return this.#inner.execute(command, data);
  }

  halt(signal: "halt" | "clear"): void {
    this.#closed?.release("stop");
    this.#inner.halt(signal);
  }

  programEnd(): Answer<Ending | undefined> {
    return this.#inner.programEnd?.();
  }

  reset(): void {
    this.#inner.reset?.();
  }

  attached(line: DeviceLine): void {
    this.#inner.attached?.(line);
  }
}
