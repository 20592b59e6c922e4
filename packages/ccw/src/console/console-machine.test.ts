/** The console in a machine, with software that uses it as Linux' driver does: attention, read inquiry, write. */
import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { describe, it } from "node:test";
import { Actl, CcwFlag, ccw1, Dstat, Fctl, orb, Stctl, type SubchannelId } from "parhelion-buses";
import { createRuntime } from "parhelion-core";
import { fromEbcdic, toEbcdic } from "../image/ebcdic.js";
import { AbsoluteStorage } from "../storage/index.js";
import { ChannelSubsystem } from "../subsystem/channel-subsystem.js";
import { Console3215, maxLines } from "./console-3215.js";

const programAt = 0x200;
const inputAt = 0x1000;
const outputAt = 0x2000;
const inputLength = 160;

/** Answers each line. */
class Software {
  readonly storage = new AbsoluteStorage(new Uint8Array(0x4000));
  readonly machine: ChannelSubsystem;
  readonly id: SubchannelId;
  readonly lines: string[] = [];
  readonly #output: string[] = [];
  #attention: "there" | "none" = "none";
  #running: "read" | "write" | "nothing" = "nothing";

  constructor(console: Console3215) {
    const runtime = createRuntime();
    this.machine = new ChannelSubsystem(runtime, { storage: this.storage });
    this.id = this.machine.attach({ device: console, devno: 9, chpids: [0x10] });
    this.machine.onInterruption(() => this.#interrupted());
    this.machine.enableSubclasses(0xff);
    const { schib } = this.machine.stsch(this.id);
    assert.ok(schib !== null);
    assert.equal(this.machine.msch(this.id, { ...schib, pmcw: { ...schib.pmcw, ena: 1 } }), 0);
  }

  write(text: string): void {
    this.#output.push(text);
    this.#go();
  }

  /** What is refused because new status is pending is tried again when that has been collected. */
  #go(): void {
    if (this.#running !== "nothing") return;
    const [text] = this.#output;
    if (text !== undefined) {
      const bytes = toEbcdic(text.replaceAll("\n", "\x85"));
      this.storage.bytes.set(bytes, outputAt);
      const ccw = { cmd: 0x01, flags: CcwFlag.SLI, count: bytes.length, cda: outputAt };
      if (this.#start("write", ccw)) this.#output.shift();
    } else if (this.#attention === "there") {
      const ccw = { cmd: 0x0a, flags: CcwFlag.SLI, count: inputLength, cda: inputAt };
      if (this.#start("read", ccw)) this.#attention = "none";
    }
  }

  #start(what: "read" | "write", ccw: Parameters<typeof ccw1.encode>[0]): boolean {
    this.storage.bytes.set(ccw1.encode(ccw), programAt);
    const cc = this.machine.ssch(this.id, orb.make({ fmt: 1, lpm: 0xff, cpa: programAt }));
    assert.ok(cc === 0 || cc === 1, `ssch ${cc}`);
    if (cc === 0) this.#running = what;
    return cc === 0;
  }

  #interrupted(): void {
    const { cc, irb } = this.machine.tsch(this.id);
    assert.ok(cc === 0 && irb !== null);
    const { dstat, stctl, count } = irb.scsw;
    if ((dstat & Dstat.ATTENTION) !== 0) this.#attention = "there";
    if ((stctl & Stctl.PRIM) !== 0) {
      if (this.#running === "read") {
        const bytes = this.storage.bytes.subarray(inputAt, inputAt + inputLength - count);
        this.lines.push(fromEbcdic(bytes));
        this.#output.push(`you said ${this.lines.at(-1)}\n`);
      }
      this.#running = "nothing";
    }
    this.#go();
  }
}

function sitDown(): {
  readonly terminal: Duplex;
  readonly console: Console3215;
  readonly seen: () => string;
} {
  const console = new Console3215(createRuntime(), "009");
  const [terminal, there] = duplexPair();
  const parts: Uint8Array[] = [];
  terminal.on("data", (bytes: Uint8Array) => parts.push(bytes));
  console.connect(there, { echo: "there" });
  return { terminal, console, seen: () => Buffer.concat(parts).toString() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a console in a machine", () => {
  it("has every line answered, typed one by one or all at once", async () => {
    const { terminal, console, seen } = sitDown();
    const software = new Software(console);
    software.write("ready\n");
    await until(() => seen() === "ready\r\n");
    terminal.write("one\n");
    await until(() => seen().endsWith("you said one\r\n"));
    const many = Array.from({ length: maxLines }, (_, index) => `line ${index}`);
    terminal.write(`${many.join("\n")}\n`);
    await until(() => seen().endsWith(`you said ${many.at(-1)}\r\n`));
    assert.deepEqual(software.lines, ["one", ...many]);
    assert.equal(seen(), `ready\r\n${["one", ...many].map((line) => `you said ${line}\r\n`).join("")}`);
  });

  it("gives up a read that is halted or cleared, and goes on", async () => {
    for (const instruction of ["hsch", "csch"] as const) {
      const { terminal, console } = sitDown();
      const { machine, id, storage } = new Software(console);
      machine.onInterruption(null);
      storage.bytes.set(ccw1.encode({ cmd: 0x0a, flags: CcwFlag.SLI, count: 80, cda: inputAt }), programAt);
      const start = () => machine.ssch(id, orb.make({ fmt: 1, lpm: 0xff, cpa: programAt }));
      const scsw = () => machine.stsch(id).schib?.scsw;
      assert.equal(start(), 0);
      const reads = () => ((scsw()?.actl ?? 0) & Actl.DEVACT) !== 0;
      await until(reads);
      assert.equal(machine[instruction](id), 0);
      await until(() => ((scsw()?.stctl ?? 0) & Stctl.PEND) !== 0);
      const { irb } = machine.tsch(id);
      assert.ok(((irb?.scsw.fctl ?? 0) & (instruction === "hsch" ? Fctl.HALT : Fctl.CLEAR)) !== 0);
      assert.equal(start(), 0);
      await until(reads);
      terminal.write("still here\n");
      await until(() => ((scsw()?.stctl ?? 0) & Stctl.PRIM) !== 0);
      assert.equal(fromEbcdic(storage.bytes.subarray(inputAt, inputAt + 10)), "still here");
    }
  });
});
