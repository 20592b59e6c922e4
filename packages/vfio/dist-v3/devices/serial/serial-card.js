/** A PCI card with one or two 16550s, each behind a base address of its own, on one interrupt line. */
import { KernelError, noDeadline, Timer } from "parhelion-core";
import { PciCommand, PciOffset, PciStatus } from "../pci/config-offsets.js";
import { serialConfig } from "./serial-config.js";
import { Uart } from "./uart.js";
import { UART_BYTES } from "./uart-registers.js";
import { decodeUart, encodeUart, UART_STATE_BYTES } from "./uart-state.js";
/** "serial", so that other bytes are noticed. */
const magic = 0x6c6169726573n;
const version = 1;
const headBytes = 16;
export class SerialCard {
    name;
    config;
    ports;
    #runtime;
    #timers;
    #levels;
    #interrupt;
    /** @param interrupt drives the card's line; called also when nothing has changed */
    constructor(runtime, name, ports, interrupt) {
        this.#runtime = runtime;
        this.#interrupt = interrupt;
        this.name = name;
        this.config = serialConfig(ports).watch(PciOffset.command, 2, () => this.#drive());
        const numbers = Array.from({ length: ports }, (_, number) => number);
        this.#levels = numbers.map(() => "low");
        this.#timers = numbers.map((number) => new Timer(runtime, `idle FIFO of ${name} port ${number}`, () => this.#idle(number)));
        this.ports = numbers.map((number) => this.#port(number));
    }
    /** How many bytes of registers there are behind each base address. */
    get barBytes() {
        return UART_BYTES;
    }
    /** @param bar which port @throws KernelError EINVAL no such port or register */
    read(bar, offset, length) {
        const port = this.#portAt(bar, offset, length);
        // Each byte is an access of its own, as on a bus that is a byte wide.
        return Uint8Array.from({ length }, (_, i) => port.read(offset + i));
    }
    /** @param bar which port @throws KernelError EINVAL no such port or register */
    write(bar, offset, bytes) {
        const port = this.#portAt(bar, offset, bytes.length);
        bytes.forEach((byte, i) => {
            port.write(offset + i, byte);
        });
    }
    /** As after power-on; what the ports are plugged into stays. */
    reset() {
        this.#access("write");
        this.config.reset();
        for (const port of this.ports)
            port.reset();
        this.#drive();
    }
    /** Nothing happens by itself until `resume`: what the ports hold is what `state` says. */
    pause() {
        this.#access("write");
        for (const port of this.ports)
            port.pause();
    }
    resume() {
        this.#access("write");
        for (const port of this.ports)
            port.resume();
    }
    /** How many bytes `state` has. */
    get stateBytes() {
        return headBytes + this.config.size + this.ports.length * UART_STATE_BYTES;
    }
    /** All that another card with as many ports needs to go on where this one is. */
    get state() {
        this.#access("read");
        const bytes = new Uint8Array(this.stateBytes);
        const view = new DataView(bytes.buffer);
        view.setBigUint64(0, magic, true);
        view.setUint32(8, version, true);
        view.setUint32(12, this.ports.length, true);
        bytes.set(this.config.state, headBytes);
        this.ports.forEach((port, i) => {
            bytes.set(encodeUart(port.state), headBytes + this.config.size + i * UART_STATE_BYTES);
        });
        return bytes;
    }
    /** All or nothing. @throws KernelError EINVAL the bytes are not the state of a card like this one */
    restore(state) {
        this.#access("write");
        const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
        if (state.length < headBytes || view.getBigUint64(0, true) !== magic)
            throw new KernelError("EINVAL", `state of ${this.name}: these bytes are not a serial card's`);
        const found = view.getUint32(8, true);
        if (found !== version)
            throw new KernelError("EINVAL", `state of ${this.name}: version ${found}; ${version} is known`);
        const ports = view.getUint32(12, true);
        if (ports !== this.ports.length || state.length !== this.stateBytes)
            throw new KernelError("EINVAL", `state of ${this.name}: ${state.length} bytes of a card with ${ports} ports; ` +
                `it takes ${this.stateBytes} of one with ${this.ports.length}`);
        const states = this.ports.map((_, i) => {
            const at = headBytes + this.config.size + i * UART_STATE_BYTES;
            return decodeUart(state.subarray(at, at + UART_STATE_BYTES));
        });
        this.config.restore(state.subarray(headBytes, headBytes + this.config.size));
        states.forEach((each, i) => {
            this.ports[i]?.restore(each);
        });
        this.#drive();
    }
    /** Nothing of it runs when this returns. */
    async close() {
        for (const timer of this.#timers)
            await timer.cancelSync({ deadline: noDeadline });
    }
    #port(number) {
        const timer = this.#timers[number];
        return new Uart({
            interrupt: (level) => {
                this.#levels[number] = level;
                this.#drive();
            },
            timer: {
                start: (ms) => timer?.start(Math.ceil(ms)),
                stop: () => timer?.cancel(),
            },
        });
    }
    #idle(number) {
        this.#access("write");
        this.ports[number]?.idleFor();
    }
    #portAt(bar, offset, length) {
        this.#access("write");
        const port = this.ports[bar];
        if (port !== undefined && offset >= 0 && length >= 1 && offset + length <= UART_BYTES)
            return port;
        throw new KernelError("EINVAL", `${this.name}: ${length} bytes at ${offset} of base address ${bar}; ` +
            `it has ${this.ports.length} of ${UART_BYTES} bytes`);
    }
    /** The line is the ports' together, unless the driver has switched it off; the status tells of it either way. */
    #drive() {
        const level = this.#levels.includes("high") ? "high" : "low";
        const status = this.config.field(PciOffset.status, 2) & ~PciStatus.interrupt;
        this.config.set(PciOffset.status, 2, status | (level === "high" ? PciStatus.interrupt : 0));
        const off = (this.config.field(PciOffset.command, 2) & PciCommand.interruptsOff) !== 0;
        this.#interrupt(off ? "low" : level);
    }
    #access(mode) {
        this.#runtime.scheduler.access(this, mode);
    }
}
