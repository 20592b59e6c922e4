/**
 * The first region: where the user writes what to start, and finds how it ended. More than one status may come before the
 * user has read one (Linux keeps the last one only); they wait here in order, and are signalled one by one. Who reads a
 * status word takes it, as with TSCH: one that is read again, for a signal that was not the device's, is not pending. What
 * belongs to it can be read until somebody looks at the next one's.
 */
import {
  type Irb,
  irb as irbLayout,
  type Orb,
  orb as orbLayout,
  type Scsw,
  scsw as scswLayout,
} from "parhelion-buses";
import { Errno, type ErrnoCode, type Named, type Runtime } from "parhelion-core";
import { IO_REGION, VFIO_CCW_REGION_BYTES } from "./abi.js";

/** Statuses that wait for a user who does not read them. The oldest is given up for the next. */
export const maxUnread = 32;

/** The status word: who reads of it sees the next status, and who reads its end has seen it. */
const firstStatusByte = IO_REGION.irb.offset;
const lastStatusByte = IO_REGION.irb.offset + IO_REGION.scsw.bytes - 1;

export class IoRegion implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #signal: () => void;
  readonly #bytes = new Uint8Array(VFIO_CCW_REGION_BYTES.io);
  readonly #waiting: Uint8Array[] = [];
  /** "announced": one that was signalled takes the place of the one that was read as soon as it is looked at. */
  #shown: "read" | "announced" | "unread" = "read";

  /** @param signal tells the user that a status is shown */
  constructor(runtime: Runtime, owner: string, signal: () => void) {
    this.name = `io region of ${owner}`;
    this.#runtime = runtime;
    this.#signal = signal;
  }

  /** As another user finds it. */
  clear(): void {
    this.#touch();
    this.#bytes.fill(0);
    this.#waiting.length = 0;
    this.#shown = "read";
  }

  /** No status of what was before is left; what the user has written stays. */
  forget(): void {
    this.#touch();
    const { offset, bytes } = IO_REGION.irb;
    this.#bytes.fill(0, offset, offset + bytes);
    this.#waiting.length = 0;
    this.#shown = "read";
  }

  /** Keeps a status for `show`. In any context. */
  add(irb: Irb): void {
    this.#touch();
    if (this.#waiting.length === maxUnread) {
      this.#waiting.shift();
      this.#runtime.log("warn", "vfio-ccw.status-lost", { region: this.name, limit: maxUnread });
    }
    this.#waiting.push(irbLayout.encode(irb));
  }

  /** Signals the next status if the user has read the one before. */
  show(): void {
    this.#touch();
    if (this.#shown !== "read" || this.#waiting.length === 0) return;
    this.#shown = "announced";
    this.#signal();
  }

  read(offset: number, length: number): Uint8Array {
    this.#touch();
    const end = offset + length;
    if (this.#shown === "announced" && offset <= lastStatusByte && end > firstStatusByte) this.#turn();
    const bytes = this.#bytes.slice(offset, end);
    if (offset <= lastStatusByte && end > lastStatusByte) {
      this.#shown = "read";
      this.#bytes.fill(0, firstStatusByte, lastStatusByte + 1);
      this.show();
    }
    return bytes;
  }

  /**
   * Users write the region whole, whatever of it they mean: a status that they have not read yet stays, and what they write back of one
   * that they have is none.
   */
  write(offset: number, bytes: Uint8Array): void {
    this.#touch();
    const { irb } = IO_REGION;
    const status = this.#shown === "unread" ? this.#bytes.slice(irb.offset, irb.offset + irb.bytes) : null;
    this.#bytes.set(bytes, offset);
    if (status !== null) this.#bytes.set(status, irb.offset);
    else this.#bytes.fill(0, firstStatusByte, lastStatusByte + 1);
  }

  /** What is to be started. */
  request(): { readonly orb: Orb; readonly scsw: Scsw } {
    this.#touch();
    return {
      orb: orbLayout.decode(this.#bytes, IO_REGION.orb.offset),
      scsw: scswLayout.decode(this.#bytes, IO_REGION.scsw.offset),
    };
  }

  /** What stands there as the answer, by its name. */
  get answered(): "done" | ErrnoCode {
    const value = new DataView(this.#bytes.buffer).getInt32(IO_REGION.retCode.offset);
    if (value === 0) return "done";
    const known = Object.entries(Errno).find(([, number]) => number === -value);
    return (known?.[0] as ErrnoCode | undefined) ?? "EINVAL";
  }

  answer(code: "done" | ErrnoCode): void {
    this.#touch();
    setRetCode(this.#bytes, IO_REGION.retCode.offset, code);
  }

  #turn(): void {
    const { offset, bytes } = IO_REGION.irb;
    this.#bytes.fill(0, offset, offset + bytes);
    this.#bytes.set(this.#waiting.shift() ?? [], offset);
    this.#shown = "unread";
  }

  #touch(): void {
    this.#runtime.scheduler.access(this, "write");
  }
}

/** A negative error number, or 0. */
export function setRetCode(region: Uint8Array, offset: number, code: "done" | ErrnoCode): void {
  const view = new DataView(region.buffer, region.byteOffset);
  view.setInt32(offset, code === "done" ? 0 : -Errno[code]);
}
