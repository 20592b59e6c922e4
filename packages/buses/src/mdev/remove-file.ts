/** A mediated device's `remove`, through which whoever may write removes it. */
import { type Attribute, type AttributeContext, KernelError, noDeadline } from "parhelion-core";
import type { MdevDevice } from "./device.js";

/** How a removal goes; see `MdevParent`. */
export interface Remover {
  /**
   * Begins the removal for its one winner, who must call `finish`.
   * @throws KernelError EAGAIN it is not active yet, ENODEV its parent is being unregistered, which removes it
   */
  claim(mdev: MdevDevice): "won" | "lost";
  finish(mdev: MdevDevice): Promise<void>;
}

/**
 * It looks whether it may before it removes itself, so a write that is refused leaves it in place. Whoever comes second
 * has nothing left to do.
 */
export function removeFile(remover: Remover): Attribute<MdevDevice> {
  return {
    name: "remove",
    async store(mdev: MdevDevice, text: string, context: AttributeContext): Promise<void> {
      if (parseNumber(text) === 0n) return;
      if (remover.claim(mdev) === "lost") return;
      // From here on nobody who removes the device waits for this write.
      await context.removeSelf({ deadline: noDeadline });
      await remover.finish(mdev);
    },
  };
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
