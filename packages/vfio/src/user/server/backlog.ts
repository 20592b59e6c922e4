/**
 * Commands of a client that wait for their turn. A client is let send on while there is room. While the device waits for an answer of
 * the client's, which may stand behind commands in the stream, it has to be read on whatever there is: until it is beyond bearing.
 */
import type { Frame } from "../wire/frames.js";

/** From here on a client is left waiting; half of it is room again. */
const much = { commands: 256, bytes: 4 * 1024 * 1024, descriptors: 64 };
/** What no client may go beyond: as many commands as their ids tell apart. */
export const mostWaiting = { commands: 65_536, bytes: 32 * 1024 * 1024, descriptors: 256 };

type Amounts = typeof much;

export class Backlog {
  /** Those before `#at` have been taken. */
  #frames: Frame[] = [];
  #at = 0;
  #bytes = 0;
  #descriptors = 0;

  get length(): number {
    return this.#frames.length - this.#at;
  }

  /** "some": more than there is room for, and less than is full. */
  get state(): "room" | "some" | "full" | "beyond" {
    if (this.#exceeds(mostWaiting)) return "beyond";
    if (this.#reaches(much, 1)) return "full";
    return this.#reaches(much, 2) ? "some" : "room";
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
    this.#bytes += frame.body.length;
    this.#descriptors += frame.fds.length;
  }

  /** The first one, which there must be. */
  shift(): Frame {
    const frame = this.#frames[this.#at] as Frame;
    this.#at += 1;
    this.#bytes -= frame.body.length;
    this.#descriptors -= frame.fds.length;
    // Not one by one: to move what is left costs as much as there is.
    if (this.#at * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#at);
      this.#at = 0;
    }
    return frame;
  }

  /** Takes all of them. */
  clear(): readonly Frame[] {
    const left = this.#frames.slice(this.#at);
    this.#frames = [];
    this.#at = 0;
    this.#bytes = 0;
    this.#descriptors = 0;
    return left;
  }

  #reaches({ commands, bytes, descriptors }: Amounts, part: number): boolean {
    return (
      this.length * part >= commands || this.#bytes * part >= bytes || this.#descriptors * part >= descriptors
    );
  }

  #exceeds({ commands, bytes, descriptors }: Amounts): boolean {
    return this.length > commands || this.#bytes > bytes || this.#descriptors > descriptors;
  }
}
