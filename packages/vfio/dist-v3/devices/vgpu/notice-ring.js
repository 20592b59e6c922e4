/** Notices in the driver's memory: the device puts them in, one after the other, as long as the driver takes them out. */
import { isKernelError } from "parhelion-core";
import { NoticeSlot } from "./vgpu-registers.js";
export class NoticeRing {
    name;
    #init;
    /** Counts, modulo 2^32: with a slot of their own, written to it, and taken out by the driver. */
    #placed = 0;
    #put = 0;
    #taken = 0;
    #queue = [];
    #writer = "idle";
    #state = "on";
    constructor(init) {
        this.name = init.name;
        this.#init = init;
    }
    get put() {
        this.#access("read");
        return this.#put;
    }
    /** @param taken how many notices the driver has ever taken out, modulo 2^32; what can't be is not believed */
    ring(taken) {
        this.#access("write");
        if ((taken - this.#taken) >>> 0 <= (this.#put - this.#taken) >>> 0)
            this.#taken = taken >>> 0;
    }
    notify(notice) {
        this.#access("write");
        if (this.#state === "off")
            return;
        const { runtime, slots, lost } = this.#init;
        const full = (this.#placed - this.#taken) >>> 0 >= slots;
        if (full || notice.body.length > NoticeSlot.bytes - NoticeSlot.body)
            return lost();
        this.#queue.push({ slot: this.#placed % slots, notice });
        this.#placed = (this.#placed + 1) >>> 0;
        if (this.#writer === "writing")
            return;
        this.#writer = "writing";
        runtime.scheduler.spawn(this.name, () => this.#write());
    }
    off() {
        this.#access("write");
        this.#state = "off";
        this.#queue = [];
    }
    async #write() {
        const { dma, base, put, failed } = this.#init;
        for (;;) {
            this.#access("write");
            const next = this.#queue.shift();
            if (next === undefined)
                break;
            try {
                await dma.write(base + BigInt(next.slot * NoticeSlot.bytes), encode(next.notice));
            }
            catch (error) {
                const was = this.#state;
                this.off();
                if (was === "on" && !isKernelError(error, "ENODEV"))
                    failed(error);
                break;
            }
            this.#access("write");
            if (this.#state === "off")
                break;
            this.#put = (this.#put + 1) >>> 0;
            put();
        }
        this.#writer = "idle";
    }
    #access(mode) {
        this.#init.runtime.scheduler.access(this, mode);
    }
}
function encode({ type, process, body }) {
    const bytes = new Uint8Array(NoticeSlot.body + body.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(NoticeSlot.type, type, true);
    view.setUint32(NoticeSlot.process, process, true);
    view.setUint32(NoticeSlot.length, body.length, true);
    bytes.set(body, NoticeSlot.body);
    return bytes;
}
