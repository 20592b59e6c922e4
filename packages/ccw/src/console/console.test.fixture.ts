/** A console with a terminal at hand, and a way to run channel programs on it. */
import { type Duplex, duplexPair } from "node:stream";
import { CcwFlag, ccw1 } from "parhelion-buses";
import { createRuntime, type Runtime } from "parhelion-core";
import { fromEbcdic, toEbcdic } from "../image/ebcdic.js";
import { ChannelProgram, type Conclusion, type Ended } from "../interpreter/index.js";
import { AbsoluteStorage } from "../storage/index.js";
import { Console3215 } from "./console-3215.js";

export const programAt = 0x100;
export const dataAt = 0x1000;

export class ConsoleRig {
  readonly runtime: Runtime;
  readonly storage = new AbsoluteStorage(new Uint8Array(0x4000));
  readonly console: Console3215;
  readonly attentions: number[] = [];
  readonly #seen: Buffer[] = [];
  terminal: Duplex;

  constructor(runtime: Runtime = createRuntime(), terminal: "there" | "none" = "there") {
    this.runtime = runtime;
    this.console = new Console3215(runtime, "test");
    this.console.attached({ unsolicited: (status) => this.attentions.push(status) });
    this.terminal = terminal === "there" ? this.plug() : duplexPair()[0];
  }

  /** A fresh terminal in place of the one before. */
  plug(): Duplex {
    const [here, there] = duplexPair();
    here.on("data", (bytes: Buffer) => this.#seen.push(bytes));
    this.console.connect(there, { echo: "here" });
    this.terminal = here;
    return here;
  }

  get seen(): string {
    return Buffer.concat(this.#seen).toString();
  }

  program(code: number, count: number, flags: number = CcwFlag.SLI): ChannelProgram {
    this.storage.bytes.set(ccw1.encode({ cmd: code, flags, count, cda: dataAt }), programAt);
    return new ChannelProgram(this.runtime, {
      name: "test",
      controls: {
        cpa: programAt,
        key: 0,
        format: 1,
        suspend: "refused",
        initialStatus: "quiet",
        idawFormat: 1,
        idawBlock: 2048,
        immediateLength: "checked",
      },
      storage: this.storage,
      device: this.console,
      path: { chpid: 0x10, mask: 0x80 },
    });
  }

  async run(code: number, count: number, flags?: number): Promise<Ended> {
    return ended(await this.program(code, count, flags).run());
  }

  async write(text: string, code = 0x01): Promise<Ended> {
    const bytes = toEbcdic(text.replaceAll("\n", "\x85"));
    this.storage.bytes.set(bytes, dataAt);
    return this.run(code, bytes.length, 0);
  }

  /** The bytes that a read left in storage, as text. */
  text(length: number): string {
    return fromEbcdic(this.storage.bytes.subarray(dataAt, dataAt + length));
  }

  /** Returns when what was typed and printed has gone through the streams. */
  async settle(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }
}

function ended(conclusion: Conclusion): Ended {
  if (conclusion.state !== "ended") throw new Error(`it ${conclusion.state}`);
  return conclusion;
}
