/** A mediated device's `remove`, through which whoever may write removes it. */
import { type Attribute, type AttributeContext, KernelError, noDeadline } from "parhelion-core";
import type { MdevDevice } from "./device.js";

/** How a removal goes; see `MdevParent`. */
export interface Remover<S> {
  /**
   * Begins the removal for its one winner, who must call `finish`.
   * @throws KernelError EAGAIN it is not active yet, ENODEV its parent is being unregistered, which removes it
   */
  claim(mdev: MdevDevice<S>): "won" | "lost";
  finish(mdev: MdevDevice<S>): Promise<void>;
  /** The parent's own way; undefined: it leaves it to the two above. */
  readonly byParent: ((mdev: MdevDevice<S>) => Promise<void>) | undefined;
}

/**
 * It looks whether it may before it removes itself, so a write that is refused leaves it in place. Whoever comes second
 * has nothing left to do.
 */
export function removeFile<S>(remover: Remover<S>): Attribute<MdevDevice<S>> {
  const file: Attribute<MdevDevice<S>> = {
    name: "remove",
    async store(mdev: MdevDevice<S>, text: string, context: AttributeContext): Promise<void> {
      if (parseNumber(text) === 0n) return;
      const { byParent } = remover;
      if (byParent === undefined && remover.claim(mdev) === "lost") return;
      // From here on nobody who removes the device waits for this write.
      const first = await context.removeSelf({ deadline: noDeadline });
      if (byParent === undefined) await remover.finish(mdev);
      else if (first) await leaveToParent(mdev, byParent, file);
    },
  };
  return file;
}

async function leaveToParent<S>(
  mdev: MdevDevice<S>,
  byParent: (mdev: MdevDevice<S>) => Promise<void>,
  file: Attribute<MdevDevice<S>>,
): Promise<void> {
  mdev.get();
  try {
    await byParent(mdev);
  } catch (error) {
    if (mdev.registered) mdev.attributes.add(file as Attribute);
    throw error;
  } finally {
    mdev.put();
  }
}

/** As kstrtoul with base 0: decimal, 0x… or 0…, and a newline. @throws KernelError EINVAL */
function parseNumber(text: string): bigint {
  const [, hex, octal, decimal] = /^\+?(?:0x([0-9a-f]+)|0([0-7]*)|([1-9][0-9]*))\n?$/i.exec(text) ?? [];
  const number =
    hex !== undefined
      ? BigInt(`0x${hex}`)
      : octal !== undefined
        ? BigInt(`0o0${octal}`)
        : decimal !== undefined
          ? BigInt(decimal)
          : null;
  if (number !== null && number < 1n << 64n) return number;
  throw new KernelError("EINVAL", `remove: ${JSON.stringify(text)} is not a number; write 1 to remove`);
}
