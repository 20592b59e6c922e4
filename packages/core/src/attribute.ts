/**
 * Attributes: small values by name, read and written by whoever finds the object they belong to. What stands here is
 * the contract; `AttributeSet` is what an object has of them.
 */
import type { WaitOptions } from "./runtime.js";
import type { Guard, Mutex } from "./sync/mutex.js";

/** A page: the most bytes that show may answer, and one more than store is given (fs/sysfs/file.c, PAGE_SIZE). */
export const attributeLimit = 4096;

export interface Attribute<D = unknown> {
  readonly name: string;
  /** Permission bits. Default: 0444 for what can be shown, 0200 for what can be stored, together 0644. */
  readonly mode?: number;
  /**
   * The value as text of at most `attributeLimit` bytes, by convention ended by a newline. Must not wait for whoever
   * removes the attribute except through `context`.
   */
  show?(subject: D, context: AttributeContext): string | Promise<string>;
  /**
   * Takes a new value. Throws to refuse. Must not wait for whoever removes the attribute except through `context`;
   * whoever wants to remove the subject has to be the winner of `context.removeSelf` first.
   * @returns how many bytes it has used; nothing means all of them
   */
  store?(
    subject: D,
    text: string,
    context: AttributeContext,
  ): number | void | Promise<number> | Promise<void>;
}

/** Attributes that come and go together, in a directory of their own if the group has a name. */
export interface AttributeGroup<D = unknown> {
  /** With slashes it is a directory in a directory. */
  readonly name?: string;
  readonly attributes: readonly Attribute<D>[];
  /**
   * Links that stand beside the attributes: names, and the places in the tree (from /devices, /bus or /class on) that
   * they lead to. Asked whenever somebody looks; must not wait. A named group with links has its directory though
   * nothing is in it.
   */
  links?(subject: D): ReadonlyMap<string, string>;
  /** The mode that the attribute gets on this subject, 0 for none at all. Asked once, when the group is added. */
  isVisible?(subject: D, attribute: Attribute<D>): number;
}

/**
 * One running show or store, seen from inside. A removal waits for it, so it must not wait for the remover: neither
 * for a lock that the remover holds nor for the removal itself. This is how it can without a deadlock.
 */
export interface AttributeContext {
  /** Whether somebody removes the attribute and waits for this operation. */
  readonly removing: boolean;
  /** Settles when the removal begins. @throws KernelError ETIMEDOUT */
  untilRemoving(options?: WaitOptions): Promise<void>;
  /**
   * Takes the lock unless the attribute's removal begins first. After `removeSelf` nobody waits for this operation any
   * more, and it is the plain lock.
   * @throws KernelError ENODEV the attribute is being removed, ETIMEDOUT
   */
  lockUnlessRemoved(mutex: Mutex, options?: WaitOptions): Promise<Guard>;
  /**
   * Removes the attribute that this operation runs on, and waits for the other operations on it but not for this one.
   * From here on the operation may remove the subject. Of all who remove the attribute exactly one wins, so who loses
   * has nothing left to do and should answer success.
   * @returns whether this call won
   * @throws KernelError ETIMEDOUT: it is removed, but others still run on it
   */
  removeSelf(options?: WaitOptions): Promise<boolean>;
}

export function defaultMode({ mode, show, store }: Attribute): number {
  if (mode !== undefined) return mode;
  // Something that can do neither answers EIO to both rather than looking forbidden.
  if (show === undefined && store === undefined) return 0o644;
  return (show === undefined ? 0 : 0o444) | (store === undefined ? 0 : 0o200);
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
