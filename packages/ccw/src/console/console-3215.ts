/**
 * A 3215 console printer-keyboard with its control unit: lines out, lines in, in EBCDIC. An operator's line is announced
 * with attention and waits until it is read. Commands and sense are those that Linux's driver uses
 * (drivers/s390/char/con3215.c) and what the device's own manual has beside them.
 */
import type { Duplex } from "node:stream";
import { Dstat } from "parhelion-buses";
import { type Named, noDeadline, type Runtime, WaitQueue } from "parhelion-core";
import { fromEbcdic, toEbcdic } from "../image/ebcdic.js";
import type { ChannelDevice, Command, DataPath, DeviceLine, Ending } from "../interpreter/device.js";
import { LineEditor } from "./line-editor.js";
import { Paper } from "./paper.js";

export interface TerminalOptions {
  /** Who shows what is typed: "here" for a raw terminal, "there" where the other end does it. */
  readonly echo: "here" | "there";
}

/** Lines that wait to be read; the bell rings for more. */
export const maxLines = 16;

/** Sense ID: the control unit and the device are both a 3215 of model 0. */
const identity = [0xff, 0x32, 0x15, 0x00, 0x32, 0x15, 0x00] as const;
const commandReject = 0x80;
const done = Dstat.CHN_END | Dstat.DEV_END;
/** More than a CCW can have, and a bound on what data chaining can. */
const maxPrinted = 65_536;

export class Console3215 implements ChannelDevice, Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #changed: WaitQueue;
  readonly #paper = new Paper();
  #terminal: Duplex | null = null;
  #line: DeviceLine | null = null;
  #lines: string[] = [];
  #sense = 0;
  #reading: "no" | "waits" | "halted" = "no";

  constructor(runtime: Runtime, name: string) {
    this.name = `console ${name}`;
    this.#runtime = runtime;
    this.#changed = new WaitQueue(runtime, `input of console ${name}`);
  }

  /**
   * Prints to and reads from `terminal` from now on; the one before is ended. What was printed while there was none
   * comes first. Closing the stream is up to whoever made it.
   */
  connect(terminal: Duplex, { echo }: TerminalOptions): void {
    this.#runtime.log("info", "console.connected", { console: this.name });
    this.#terminal?.end();
    this.#terminal = terminal;
    const editor = new LineEditor({
      echo: (text) => {
        if (echo === "here" || text === "\x07") this.#paper.print(text);
      },
      line: (text) => this.#enter(text),
    });
    terminal.on("data", (bytes: Uint8Array) => {
      if (this.#terminal === terminal) editor.type(bytes);
    });
    const gone = () => {
      if (this.#terminal !== terminal) return;
      this.#runtime.log("info", "console.disconnected", { console: this.name });
      this.#terminal = null;
      this.#paper.feed(null);
    };
    terminal.once("close", gone);
    terminal.once("end", gone);
    // A terminal that breaks is one that goes: "close" follows.
    terminal.on("error", gone);
    this.#paper.feed(terminal);
  }

  attached(line: DeviceLine): void {
    this.#line = line;
  }

  execute(command: Command, data: DataPath): Ending | Promise<Ending> {
    if (command.code === 0x04) return this.#tell(data, [this.#sense]);
    this.#sense = 0;
    switch (command.code) {
      case 0x01:
        return this.#write(data, "");
      case 0x09:
        return this.#write(data, "\n");
      case 0x0a:
        return this.#read(data);
      case 0x0b:
        this.#paper.print("\x07");
        return { status: done };
      case 0x03:
        return { status: done };
      case 0xe4:
        return this.#tell(data, identity);
      default:
        this.#sense = commandReject;
        return { status: done | Dstat.UNIT_CHECK, sense: Uint8Array.of(commandReject) };
    }
  }

  halt(): void {
    this.#use();
    if (this.#reading === "no") return;
    this.#reading = "halted";
    this.#changed.wake();
  }

  /** A line that nobody has read yet is announced again. */
  programEnd(): undefined {
    this.#use();
    if (this.#lines.length > 0) this.#line?.unsolicited(Dstat.ATTENTION);
  }

  reset(): void {
    this.#use();
    this.#sense = 0;
    this.#lines = [];
  }

  /** Lines, and whether they are waited for. */
  #use(): void {
    this.#runtime.scheduler.access(this, "write");
  }

  async #write(data: DataPath, end: string): Promise<Ending> {
    this.#paper.print(printable(fromEbcdic(await data.receiveRest(maxPrinted))) + end);
    return { status: done };
  }

  async #read(data: DataPath): Promise<Ending> {
    data.accept();
    this.#use();
    this.#reading = "waits";
    await this.#changed.wait(() => this.#lines.length > 0 || this.#reading === "halted", {
      deadline: noDeadline,
    });
    this.#use();
    const line = this.#reading === "waits" ? this.#lines.shift() : undefined;
    this.#reading = "no";
    if (line !== undefined) await data.send(toEbcdic(line));
    return { status: done };
  }

  async #tell(data: DataPath, bytes: readonly number[]): Promise<Ending> {
    await data.send(Uint8Array.from(bytes));
    return { status: done };
  }

  #enter(line: string): void {
    this.#use();
    if (this.#lines.length === maxLines) {
      this.#paper.print("\x07");
      return;
    }
    this.#lines.push(line);
    if (this.#reading === "waits") this.#changed.wake();
    else this.#line?.unsolicited(Dstat.ATTENTION);
  }
}

/** New lines as they are, everything else that is no letter as a blank: paper can't be told to do anything. */
function printable(text: string): string {
  return text.replaceAll(/[\x85\n]/g, "\n").replaceAll(/[^\n\x20-\x7e\xa0-\xff]/g, " ");
}
