/**
 * A 16550 with its registers as a driver sees them. The two halves, the modem lines and the interrupt are here brought together;
 * what it is plugged into is a `SerialLine`.
 */
import { type CharacterError, type LineEnd, type LineInputs, openLine, type SerialLine } from "./line.js";
import { Modem, type ModemState } from "./modem.js";
import { Receiver, type ReceiverState } from "./receiver.js";
import { Transmitter, type TransmitterState } from "./transmitter.js";
import { Fcr, Ier, Iir, Lcr, Msr, triggerLevels, UART_CLOCK, UartRegister } from "./uart-registers.js";

export interface UartInit {
  /** Told when the interrupt line has changed. */
  interrupt(level: "high" | "low"): void;
  /** `Uart.idleFor` has to be called when the time has passed. */
  readonly timer: {
    /** Anew if it runs already. @param ms may be a fraction */
    start(ms: number): void;
    stop(): void;
  };
}

/** All that another one needs to go on where this one is. */
export interface UartState {
  readonly interruptEnable: number;
  readonly fifoControl: number;
  readonly lineControl: number;
  readonly scratch: number;
  readonly divisor: number;
  readonly receiver: ReceiverState;
  readonly transmitter: TransmitterState;
  readonly modem: ModemState;
}

/** 9600 baud. The data sheet leaves it open; drivers set it. */
const firstDivisor = 12;
/** How long a FIFO is left alone before it asks to be read. */
const idleCharacters = 4;

export class Uart implements LineEnd {
  readonly #init: UartInit;
  readonly #receiver: Receiver;
  readonly #transmitter: Transmitter;
  readonly #modem = new Modem();
  #line: SerialLine = openLine;
  #interruptEnable = 0;
  /** The bits that stay: FIFOs enabled, DMA mode and trigger level. */
  #fifoControl = 0;
  #lineControl = 0;
  #scratch = 0;
  #divisor = firstDivisor;
  #life: "running" | "paused" = "running";
  #level: "high" | "low" = "low";

  constructor(init: UartInit) {
    this.#init = init;
    this.#receiver = new Receiver({
      start: () => this.#watchIdle(),
      stop: () => init.timer.stop(),
    });
    this.#transmitter = new Transmitter((character) => this.#send(character));
  }

  /** From now on; what was plugged in before hears no more. */
  plug(line: SerialLine): void {
    this.#line = line;
    line.outputs?.(this.#modem.outputs);
    this.ready();
  }

  get room(): number {
    // What comes from outside is not heard in loop mode.
    return this.#modem.loop === "on" || this.#life === "paused" ? 0 : this.#receiver.room;
  }

  receive(character: number, error?: CharacterError): void {
    if (this.#modem.loop === "on") return;
    this.#arrive(character, error);
  }

  inputs(inputs: LineInputs): void {
    this.#modem.inputs(inputs);
    this.#settle();
  }

  ready(): void {
    this.#transmitter.drain();
    this.#settle();
  }

  /** In ms: four characters' time, of which a driver hears when a FIFO has something and is left alone. */
  get idleMs(): number {
    const control = this.#lineControl;
    const word = 5 + (control & Lcr.wordLength);
    const stops = (control & Lcr.twoStops) === 0 ? 1 : word === 5 ? 1.5 : 2;
    const bits = 1 + word + ((control & Lcr.parity) === 0 ? 0 : 1) + stops;
    // A counter of 16 bits that is loaded with zero counts all of them.
    const divisor = this.#divisor === 0 ? 0x1_0000 : this.#divisor;
    return (idleCharacters * bits * 16 * divisor * 1000) / UART_CLOCK;
  }

  idleFor(): void {
    if (this.#receiver.timedOut() === "expired") this.#settle();
  }

  /** Time stands still, and there is no room for what comes. */
  pause(): void {
    this.#life = "paused";
    this.#init.timer.stop();
  }

  resume(): void {
    this.#life = "running";
    this.#receiver.watch();
    this.#line.room?.();
  }

  /** @param register 0 to 7 */
  read(register: number): number {
    const value = this.#read(register);
    this.#settle();
    return value;
  }

  /** @param register 0 to 7 @param value the low eight bits count */
  write(register: number, value: number): void {
    const before = this.#modem.outputs;
    this.#write(register, value & 0xff);
    const after = this.#modem.outputs;
    if (before.dataTerminalReady !== after.dataTerminalReady || before.requestToSend !== after.requestToSend)
      this.#line.outputs?.(after);
    this.#settle();
  }

  /** As after power-on. What is plugged in stays so. */
  reset(): void {
    this.restore(initialState);
    // What it sees now is not a change.
    this.#modem.changesRead();
  }

  get state(): UartState {
    return {
      interruptEnable: this.#interruptEnable,
      fifoControl: this.#fifoControl,
      lineControl: this.#lineControl,
      scratch: this.#scratch,
      divisor: this.#divisor,
      receiver: this.#receiver.state,
      transmitter: this.#transmitter.state,
      modem: this.#modem.state,
    };
  }

  restore(state: UartState): void {
    this.#interruptEnable = state.interruptEnable & 0x0f;
    this.#fifoControl = state.fifoControl & (Fcr.enable | Fcr.trigger | fcrDmaMode);
    this.#lineControl = state.lineControl & 0xff;
    this.#scratch = state.scratch & 0xff;
    this.#divisor = state.divisor & 0xffff;
    this.#receiver.restore(this.#mode, state.receiver);
    this.#transmitter.restore(this.#mode, state.transmitter);
    this.#modem.restore(state.modem);
    this.#line.outputs?.(this.#modem.outputs);
    // What is plugged in here may be in another state: that is a change like any other.
    this.#modem.look();
    this.ready();
  }

  get #mode(): "character" | "fifo" {
    return (this.#fifoControl & Fcr.enable) === 0 ? "character" : "fifo";
  }

  #read(register: number): number {
    switch (register) {
      case UartRegister.data: {
        if (this.#divisorLatched) return this.#divisor & 0xff;
        const character = this.#receiver.take();
        if (this.#modem.loop === "off") this.#line.room?.();
        return character;
      }
      case UartRegister.interruptEnable:
        return this.#divisorLatched ? this.#divisor >>> 8 : this.#interruptEnable;
      case UartRegister.interruptIdOrFifoControl: {
        const pending = this.#pending;
        if (pending === Iir.transmitterEmpty) this.#transmitter.tell();
        return pending | (this.#mode === "fifo" ? Iir.fifosEnabled : 0);
      }
      case UartRegister.lineControl:
        return this.#lineControl;
      case UartRegister.modemControl:
        return this.#modem.control;
      case UartRegister.lineStatus: {
        const status = this.#receiver.lineStatus | this.#transmitter.lineStatus;
        this.#receiver.errorsRead();
        return status;
      }
      case UartRegister.modemStatus: {
        const { status } = this.#modem;
        this.#modem.changesRead();
        return status;
      }
      default:
        return this.#scratch;
    }
  }

  #write(register: number, value: number): void {
    switch (register) {
      case UartRegister.data:
        if (this.#divisorLatched) this.#divisor = (this.#divisor & 0xff00) | value;
        else this.#transmitter.put(value & this.#characterMask);
        return;
      case UartRegister.interruptEnable:
        if (this.#divisorLatched) this.#divisor = (this.#divisor & 0x00ff) | (value << 8);
        else this.#enable(value & 0x0f);
        return;
      case UartRegister.interruptIdOrFifoControl:
        this.#controlFifos(value);
        return;
      case UartRegister.lineControl:
        this.#controlLine(value);
        return;
      case UartRegister.modemControl: {
        const { loop } = this.#modem;
        this.#modem.control = value;
        if (loop === "on" && this.#modem.loop === "off") this.#line.room?.();
        this.#transmitter.drain();
        return;
      }
      case UartRegister.scratch:
        this.#scratch = value;
        return;
      default:
      // Both status registers are for the factory to write.
    }
  }

  #enable(value: number): void {
    const added = value & ~this.#interruptEnable;
    this.#interruptEnable = value;
    // Drivers find out so whether there is room, whatever they have been told before.
    if ((added & Ier.transmitterEmpty) !== 0) this.#transmitter.asked();
  }

  #controlFifos(value: number): void {
    // Without it no other bit counts.
    const kept = (value & Fcr.enable) === 0 ? 0 : value & (Fcr.enable | Fcr.trigger | fcrDmaMode);
    this.#fifoControl = kept;
    const before = this.#receiver.room;
    this.#receiver.setMode(this.#mode);
    this.#transmitter.setMode(this.#mode);
    if (this.#mode === "fifo") {
      if ((value & Fcr.clearReceiver) !== 0) this.#receiver.clear();
      if ((value & Fcr.clearTransmitter) !== 0) this.#transmitter.clear();
    }
    if (this.#receiver.room > before && this.#modem.loop === "off") this.#line.room?.();
  }

  #controlLine(value: number): void {
    const changed = value ^ this.#lineControl;
    this.#lineControl = value;
    if ((changed & Lcr.break) === 0) return;
    const state = (value & Lcr.break) === 0 ? "off" : "on";
    if (this.#modem.loop === "off") this.#line.break?.(state);
    else if (state === "on") this.#arrive(0, "break");
    this.#transmitter.drain();
  }

  get #divisorLatched(): boolean {
    return (this.#lineControl & Lcr.divisorLatch) !== 0;
  }

  get #characterMask(): number {
    return 0xff >>> (3 - (this.#lineControl & Lcr.wordLength));
  }

  #send(character: number): "sent" | "busy" {
    // A break covers what is sent meanwhile.
    if ((this.#lineControl & Lcr.break) !== 0) return "sent";
    if (this.#modem.loop === "off") return this.#line.send(character);
    this.#arrive(character);
    return "sent";
  }

  #arrive(character: number, error?: CharacterError): void {
    this.#receiver.put(character & this.#characterMask, error);
    this.#settle();
  }

  #watchIdle(): void {
    if (this.#life === "running") this.#init.timer.start(this.idleMs);
  }

  /** What the interrupt identification says, FIFOs aside. */
  get #pending(): number {
    const enabled = this.#interruptEnable;
    if ((enabled & Ier.lineStatus) !== 0 && this.#receiver.errors !== 0) return Iir.lineStatus;
    if ((enabled & Ier.receivedData) !== 0) {
      if (this.#receiver.idle === "expired") return Iir.characterTimeout;
      if (this.#receiver.length >= this.#triggerLevel) return Iir.receivedData;
    }
    if ((enabled & Ier.transmitterEmpty) !== 0 && this.#transmitter.emptied === "untold")
      return Iir.transmitterEmpty;
    if ((enabled & Ier.modemStatus) !== 0 && (this.#modem.status & Msr.deltas) !== 0) return Iir.modemStatus;
    return Iir.none;
  }

  get #triggerLevel(): number {
    return this.#mode === "character" ? 1 : (triggerLevels[this.#fifoControl >>> 6] ?? 1);
  }

  #settle(): void {
    const level = this.#pending === Iir.none ? "low" : "high";
    if (level === this.#level) return;
    this.#level = level;
    this.#init.interrupt(level);
  }
}

/** Kept and without effect: there are no pins for DMA. */
const fcrDmaMode = 0x08;

const initialState: UartState = {
  interruptEnable: 0,
  fifoControl: 0,
  lineControl: 0,
  scratch: 0,
  divisor: firstDivisor,
  receiver: { characters: [], errors: 0, idle: "waiting" },
  transmitter: { holding: [], shifting: null, emptied: "told" },
  modem: { control: 0, status: 0 },
};
