import { FIFO_CHARACTERS, Lsr } from "./uart-registers.js";
const errorBits = {
    parity: Lsr.parity,
    framing: Lsr.framing,
    break: Lsr.break,
};
export class Receiver {
    #timer;
    #mode = "character";
    #characters = [];
    #errors = 0;
    #idle = "waiting";
    constructor(timer) {
        this.#timer = timer;
    }
    get length() {
        return this.#characters.length;
    }
    get room() {
        return this.#capacity - this.#characters.length;
    }
    /** Whether the FIFO holds something that nobody has read for a while. */
    get idle() {
        return this.#idle;
    }
    /** Those errors that nobody has read. */
    get errors() {
        return this.#errors;
    }
    get lineStatus() {
        const inFifo = this.#mode === "fifo" && this.#characters.some(({ errors }) => errors !== 0);
        return (this.length > 0 ? Lsr.dataReady : 0) | this.#errors | (inFifo ? Lsr.errorInFifo : 0);
    }
    put(character, error) {
        const received = { character, errors: error === undefined ? 0 : errorBits[error] };
        if (this.room === 0) {
            this.#errors |= Lsr.overrun;
            // A single buffer is overwritten; what a full FIFO can't take is lost.
            if (this.#mode === "character") {
                this.#characters = [received];
                this.#errors |= received.errors;
            }
        }
        else {
            this.#characters.push(received);
            if (this.length === 1)
                this.#errors |= received.errors;
        }
        this.watch();
    }
    /** The next character; zero when there is none. */
    take() {
        const [next] = this.#characters;
        this.#characters.shift();
        this.#errors |= this.#characters[0]?.errors ?? 0;
        this.#idle = "waiting";
        this.watch();
        return next?.character ?? 0;
    }
    /** The line status was read. */
    errorsRead() {
        this.#errors = 0;
        const [next] = this.#characters;
        if (next !== undefined)
            next.errors = 0;
    }
    /** Another mode empties it. */
    setMode(mode) {
        if (mode === this.#mode)
            return;
        this.#mode = mode;
        this.clear();
    }
    clear() {
        this.#characters = [];
        this.#idle = "waiting";
        this.watch();
    }
    /** The timer has run out. @returns whether that means something now */
    timedOut() {
        if (this.#mode !== "fifo" || this.length === 0)
            return "ignored";
        this.#idle = "expired";
        return "expired";
    }
    get state() {
        return {
            characters: this.#characters.map((each) => ({ ...each })),
            errors: this.#errors,
            idle: this.#idle,
        };
    }
    restore(mode, { characters, errors, idle }) {
        this.#mode = mode;
        this.#characters = characters.slice(0, this.#capacity).map((each) => ({ ...each }));
        this.#errors = errors;
        this.#idle = this.length === 0 ? "waiting" : idle;
        this.watch();
    }
    /** Has the time measured, or not. What has expired stays so until somebody reads. */
    watch() {
        if (this.#mode === "fifo" && this.length > 0 && this.#idle === "waiting")
            this.#timer.start();
        else
            this.#timer.stop();
    }
    get #capacity() {
        return this.#mode === "fifo" ? FIFO_CHARACTERS : 1;
    }
}
