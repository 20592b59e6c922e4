/**
 * Dawn keeps an object's memory as long as something native refers to it, whatever became of the JavaScript object. The account
 * goes by the JavaScript objects, so these are made to refer to each other as the native ones do.
 */

const KEEPS = Symbol("keeps");

interface Keeper {
  [KEEPS]?: unknown;
}

/** `what` lives at least as long as `keeper`. One thing a keeper. */
export function keep(keeper: object, what: unknown): void {
  (keeper as Keeper)[KEEPS] = what;
}

/** Objects released after some encoder began. Whoever holds a stretch holds all that come after it. */
interface Stretch {
  readonly released: object[];
  next: Stretch | undefined;
}

/**
 * What a command encoder used is not tracked: that would cost every command of it. Instead it keeps whatever is released until
 * its command buffer was submitted. The encoder, then the command buffer, holds the stretch of released objects at which it began.
 */
export class Trail {
  #last: Stretch = { released: [], next: undefined };
  #walkers = new WeakSet<object>();
  #walking = 0;

  /** An encoder was created. */
  begin(encoder: object): void {
    if (this.#last.released.length > 0) {
      const next: Stretch = { released: [], next: undefined };
      this.#last.next = next;
      this.#last = next;
    }
    keep(encoder, this.#last);
    this.#walkers.add(encoder);
    this.#walking += 1;
  }

  /** The encoder became a command buffer. */
  goOn(encoder: object, commands: object): void {
    if (!this.#walkers.delete(encoder)) return;
    keep(commands, (encoder as Keeper)[KEEPS]);
    keep(encoder, undefined);
    this.#walkers.add(commands);
  }

  /** The command buffer was submitted, which is where Dawn knows better. */
  end(commands: object): void {
    if (!this.#walkers.delete(commands)) return;
    keep(commands, undefined);
    this.#stopped();
  }

  /** An object has no name any more; of encoders and command buffers nobody can make anything now. */
  release(object: object): void {
    if (this.#walkers.delete(object)) this.#stopped();
    else if (this.#walking > 0) this.#last.released.push(object);
  }

  #stopped(): void {
    this.#walking -= 1;
    // Those that were given up and wait for the collector have their stretches themselves.
    if (this.#walking === 0) this.#last = { released: [], next: undefined };
  }
}
