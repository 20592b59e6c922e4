/** The modem lines of a 16550: what it drives, what it sees, and what of that has changed since somebody looked. */
import { idleInputs, type LineInputs, type LineOutputs } from "./line.js";
import { Mcr, Msr } from "./uart-registers.js";

export interface ModemState {
  readonly control: number;
  /** What it sees, and the changes that nobody has read. */
  readonly status: number;
}

export class Modem {
  #control = 0;
  #outside = bitsOf(idleInputs);
  #status = 0;

  get control(): number {
    return this.#control;
  }

  set control(value: number) {
    this.#control = value & Mcr.all;
    this.look();
  }

  get status(): number {
    return this.#status;
  }

  get outputs(): LineOutputs {
    // In loop mode the pins are at rest.
    const driven = this.loop === "on" ? 0 : this.#control;
    return {
      dataTerminalReady: (driven & Mcr.dataTerminalReady) !== 0,
      requestToSend: (driven & Mcr.requestToSend) !== 0,
    };
  }

  get loop(): "on" | "off" {
    return (this.#control & Mcr.loop) === 0 ? "off" : "on";
  }

  inputs(inputs: LineInputs): void {
    this.#outside = bitsOf(inputs);
    this.look();
  }

  changesRead(): void {
    this.#status &= ~Msr.deltas;
  }

  get state(): ModemState {
    return { control: this.#control, status: this.#status };
  }

  /** `look` has to follow, when what is plugged in knows what is driven now. */
  restore({ control, status }: ModemState): void {
    this.#control = control & Mcr.all;
    this.#status = status & 0xff;
  }

  /** Notices what has changed. */
  look(): void {
    const before = this.#status & ~Msr.deltas;
    const now = this.loop === "on" ? looped(this.#control) : this.#outside;
    const changed = before ^ now;
    const rung = before & ~now & Msr.ringIndicator;
    const deltas = ((changed & ~Msr.ringIndicator) | rung) >>> 4;
    this.#status = now | (this.#status & Msr.deltas) | deltas;
  }
}

function bitsOf({ clearToSend, dataSetReady, ringIndicator, carrierDetect }: LineInputs): number {
  return (
    (clearToSend ? Msr.clearToSend : 0) |
    (dataSetReady ? Msr.dataSetReady : 0) |
    (ringIndicator ? Msr.ringIndicator : 0) |
    (carrierDetect ? Msr.carrierDetect : 0)
  );
}

/** Each output comes back as an input. */
function looped(control: number): number {
  return (
    (control & Mcr.requestToSend ? Msr.clearToSend : 0) |
    (control & Mcr.dataTerminalReady ? Msr.dataSetReady : 0) |
    (control & Mcr.out1 ? Msr.ringIndicator : 0) |
    (control & Mcr.out2 ? Msr.carrierDetect : 0)
  );
}
