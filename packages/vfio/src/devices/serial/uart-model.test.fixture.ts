/**
 * The 16550 again, written from the data sheet as one list of rules on one record, to compare the real one with. Nothing of the
 * real one is used here, not its constants either.
 */

export interface ModelCharacter {
  readonly value: number;
  /** LSR bits 2 to 4. */
  flaws: number;
}

export class UartModel {
  ier = 0;
  fcr = 0;
  lcr = 0;
  mcr = 0;
  scr = 0;
  dll = 12;
  dlm = 0;
  rx: ModelCharacter[] = [];
  tx: number[] = [];
  shift: number[] = [];
  /** LSR bits 1 to 4. */
  lsrErrors = 0;
  threLatch = false;
  timeoutLatch = false;
  /** MSR high and low nibble. */
  pins = 0;
  msrHigh = 0;
  msrLow = 0;
  lineBusy = false;
  readonly sent: number[] = [];
  readonly breaks: string[] = [];

  get fifo(): boolean {
    return (this.fcr & 1) === 1;
  }
  get dlab(): boolean {
    return this.lcr >= 0x80;
  }
  get loop(): boolean {
    return (this.mcr & 0x10) !== 0;
  }
  get depth(): number {
    return this.fifo ? 16 : 1;
  }
  get room(): number {
    return this.loop ? 0 : this.depth - this.rx.length;
  }
  /** The timer of the character timeout is running. */
  get counting(): boolean {
    return this.fifo && this.rx.length > 0 && !this.timeoutLatch;
  }
  get mask(): number {
    return [0x1f, 0x3f, 0x7f, 0xff][this.lcr & 3] as number;
  }

  /** By priority; 1 when nothing is pending. */
  get source(): number {
    const level = this.fifo ? ([1, 4, 8, 14][this.fcr >> 6] as number) : 1;
    if (this.ier & 4 && this.lsrErrors) return 6;
    if (this.ier & 1 && this.timeoutLatch) return 12;
    if (this.ier & 1 && this.rx.length >= level) return 4;
    if (this.ier & 2 && this.threLatch) return 2;
    if (this.ier & 8 && this.msrLow) return 0;
    return 1;
  }
  get interrupt(): "high" | "low" {
    return this.source === 1 ? "low" : "high";
  }

  read(register: number): number {
    if (this.dlab && register === 0) return this.dll;
    if (this.dlab && register === 1) return this.dlm;
    if (register === 0) {
      const first = this.rx.shift();
      this.timeoutLatch = false;
      if (this.rx.length > 0) this.lsrErrors |= (this.rx[0] as ModelCharacter).flaws;
      return first === undefined ? 0 : first.value;
    }
    if (register === 1) return this.ier;
    if (register === 2) {
      const source = this.source;
      if (source === 2) this.threLatch = false;
      return source + (this.fifo ? 0xc0 : 0);
    }
    if (register === 3) return this.lcr;
    if (register === 4) return this.mcr;
    if (register === 5) {
      let status = this.lsrErrors;
      if (this.rx.length > 0) status += 1;
      if (this.tx.length === 0) status += 0x20;
      if (this.tx.length === 0 && this.shift.length === 0) status += 0x40;
      if (this.fifo && this.rx.some((each) => each.flaws > 0)) status += 0x80;
      this.lsrErrors = 0;
      if (this.rx.length > 0) (this.rx[0] as ModelCharacter).flaws = 0;
      return status;
    }
    if (register === 6) {
      const status = this.msrHigh + this.msrLow;
      this.msrLow = 0;
      return status;
    }
    return this.scr;
  }

  write(register: number, value: number): void {
    if (this.dlab && register === 0) this.dll = value;
    else if (this.dlab && register === 1) this.dlm = value;
    else if (register === 0) {
      const word = value & this.mask;
      if (!this.fifo) this.tx = [word];
      else if (this.tx.length < 16) this.tx.push(word);
      this.threLatch = false;
      this.push();
    } else if (register === 1) {
      const rising = (value & 2) !== 0 && (this.ier & 2) === 0;
      this.ier = value & 15;
      if (rising) this.threLatch = this.tx.length === 0;
    } else if (register === 2) this.fifoControl(value);
    else if (register === 3) {
      const was = this.lcr & 0x40;
      this.lcr = value;
      const is = value & 0x40;
      if (is !== was && !this.loop) this.breaks.push(is ? "on" : "off");
      if (is && !was && this.loop) this.take(0, 0x10);
      this.push();
    } else if (register === 4) {
      this.mcr = value & 0x1f;
      this.sense();
      this.push();
    } else if (register === 7) this.scr = value;
  }

  fifoControl(value: number): void {
    const on = (value & 1) === 1;
    const switched = on !== this.fifo;
    if (switched || (on && value & 2)) {
      this.rx = [];
      this.timeoutLatch = false;
    }
    if ((switched || (on && value & 4)) && this.tx.length > 0) {
      this.tx = [];
      this.threLatch = true;
    }
    this.fcr = on ? value & 0xc9 : 0;
  }

  /** Something comes in from outside. */
  arrive(value: number, flaws: number): void {
    if (!this.loop) this.take(value, flaws);
  }

  take(value: number, flaws: number): void {
    const character = { value: value & this.mask, flaws };
    if (this.rx.length < this.depth) {
      this.rx.push(character);
      if (this.rx.length === 1) this.lsrErrors |= flaws;
      return;
    }
    this.lsrErrors |= 2;
    if (this.fifo) return;
    this.rx = [character];
    this.lsrErrors |= flaws;
  }

  /** Characters leave, one at a time, while they can. */
  push(): void {
    for (;;) {
      if (this.shift.length === 0 && this.tx.length > 0) {
        this.shift = [this.tx.shift() as number];
        if (this.tx.length === 0) this.threLatch = true;
      }
      if (this.shift.length === 0) return;
      const [word] = this.shift as [number];
      if ((this.lcr & 0x40) === 0) {
        if (this.loop) this.take(word, 0);
        else if (this.lineBusy) return;
        else this.sent.push(word);
      }
      this.shift = [];
    }
  }

  /** The timer has run out, if it runs. */
  idle(): void {
    if (this.counting) this.timeoutLatch = true;
  }

  /** @param pins CTS 1, DSR 2, RI 4, DCD 8 */
  drive(pins: number): void {
    this.pins = pins;
    this.sense();
  }

  sense(): void {
    const { mcr } = this;
    const looped = ((mcr & 2) >> 1) | ((mcr & 1) << 1) | (mcr & 4) | (mcr & 8);
    const now = this.loop ? looped : this.pins;
    const before = this.msrHigh >> 4;
    for (const pin of [1, 2, 8]) if ((now & pin) !== (before & pin)) this.msrLow |= pin;
    if (before & 4 && !(now & 4)) this.msrLow |= 4;
    this.msrHigh = now << 4;
  }
}
