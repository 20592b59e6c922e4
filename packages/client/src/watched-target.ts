/**
 * An event target with one event, whose source is listened to only while somebody listens here: the source lives longer, and would
 * keep every target that anybody ever asked for.
 */
import { getEventListeners } from "node:events";

type Handler = (event: Event) => unknown;

export abstract class WatchedTarget extends EventTarget {
  readonly #type: string;
  readonly #watch: (happened: () => void) => () => void;
  #unwatch: (() => void) | undefined;
  #handler: Handler | null = null;
  readonly #callHandler = (event: Event): void => {
    this.#handler?.call(this, event);
  };

  /** @param watch listens to the source, @returns ends that */
  constructor(type: string, watch: (happened: () => void) => () => void) {
    super();
    this.#type = type;
    this.#watch = watch;
  }

  /** Takes the target as an argument, so that one of another kind is a TypeError. */
  protected static handlerOf(target: WatchedTarget): Handler | null {
    return target.#handler;
  }

  /** Its place among the listeners is where it was set from null; replacing the function keeps the place. */
  protected static setHandler(target: WatchedTarget, handler: unknown): void {
    const before = target.#handler;
    const after = typeof handler === "function" ? (handler as Handler) : null;
    target.#handler = after;
    if (before === null && after !== null) target.addEventListener(target.#type, target.#callHandler);
    if (before !== null && after === null) target.removeEventListener(target.#type, target.#callHandler);
  }

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    super.addEventListener(...args);
    if (this.#heard) this.#unwatch ??= this.#watch(() => this.#happened());
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    super.removeEventListener(...args);
    this.#restIfUnheard();
  }

  get #heard(): boolean {
    return getEventListeners(this, this.#type).length > 0;
  }

  #happened(): void {
    this.dispatchEvent(new Event(this.#type));
    // Listeners go by themselves as well: once, and by signals.
    this.#restIfUnheard();
  }

  #restIfUnheard(): void {
    if (this.#heard) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
