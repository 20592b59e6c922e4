/**
 * Connections that have not yet shown who they are, bounded. The oldest gives way to the newest: who means it speaks at once, and a
 * crowd that only waits keeps nobody out.
 */
import type { Socket } from "node:net";

export class Newcomers {
  readonly #most: number;
  readonly #waiting = new Set<Socket>();

  /** @param most how many may wait at a time */
  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    if (this.#waiting.size >= this.#most) this.dropOldest();
    this.#waiting.add(socket);
    socket.once("close", () => this.#waiting.delete(socket));
  }

  /** It is no stranger any more. */
  known(socket: Socket): void {
    this.#waiting.delete(socket);
  }

  /** Ends the one that has waited longest; false when there is none. */
  dropOldest(): boolean {
    for (const socket of this.#waiting) {
      this.#waiting.delete(socket);
      socket.destroy(new Error("it did not say who it is before too many others came"));
      return true;
    }
    return false;
  }

  /** Ends all. */
  drop(): void {
    while (this.dropOldest());
  }
}
