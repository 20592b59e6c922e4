/**
 * A function's MSI-X table and pending bits as memory. A user's interrupts come by eventfd, which is asked for elsewhere; what is
 * written to the table is kept for whoever reads it, and a vector that nobody listens to is pending.
 */
import { KernelError } from "parhelion-core";
const entryBytes = 16;
/** The vector's control word, of which only the mask can be written. */
const controlAt = 12;
export class MsixMemory {
    table;
    pending;
    constructor(vectors) {
        this.table = new Uint8Array(vectors * entryBytes);
        // Whole quadwords.
        this.pending = new Uint8Array(8 * Math.ceil(vectors / 64));
        this.reset();
    }
    /** All vectors masked, none pending. */
    reset() {
        this.table.fill(0);
        for (let at = controlAt; at < this.table.length; at += entryBytes)
            this.table[at] = 1;
        this.pending.fill(0);
    }
    /** @throws KernelError EINVAL not whole words, or outside of the table */
    write(offset, bytes) {
        if (offset % 4 !== 0 || bytes.length % 4 !== 0 || offset + bytes.length > this.table.length)
            throw new KernelError("EINVAL", `write of ${bytes.length} bytes at ${offset} of an MSI-X table`);
        this.table.set(bytes, offset);
        for (let at = controlAt; at < this.table.length; at += entryBytes) {
            this.table[at] = (this.table[at] ?? 0) & 1;
            this.table.fill(0, at + 1, at + 4);
        }
    }
    /** Whether somebody has heard of the vector's interrupt. */
    told(vector, heard) {
        const bit = 1 << (vector % 8);
        const at = vector >>> 3;
        this.pending[at] = heard ? (this.pending[at] ?? 0) & ~bit : (this.pending[at] ?? 0) | bit;
    }
}
