/** Translating, with the errors that the user gets. */
import type { Orb } from "parhelion-buses";
import { type ErrnoCode, isKernelError, KernelError } from "parhelion-core";
import type { ChannelProgram } from "./channel-program.js";

/** What can go wrong with the user's memory, in the numbers of this interface. Everything else is a bad address. */
const codes: Partial<Record<ErrnoCode, ErrnoCode>> = {
  E2BIG: "ENOMEM",
  EINVAL: "EINVAL",
  ENODEV: "ENODEV",
  ENOMEM: "ENOMEM",
};

/**
 * @returns null when it is translated. Else EOPNOTSUPP a program in transport mode; EINVAL one that can't be translated;
 * ENOMEM it needs too much; EFAULT memory that is not there; ENODEV the user was cut off
 */
export async function translate(program: ChannelProgram, orb: Orb): Promise<KernelError | null> {
  if (orb.b === 1) {
    return new KernelError("EOPNOTSUPP", "the ORB is of a program in transport mode; use command mode");
  }
  try {
    await program.translate(orb);
    return null;
  } catch (error) {
    // Also of what the user's memory throws, whatever that is: it is the user's own trouble.
    const code = (isKernelError(error) ? codes[error.code] : undefined) ?? "EFAULT";
    const message = error instanceof Error ? error.message : String(error);
    return new KernelError(code, `the channel program at 0x${orb.cpa.toString(16)} can't be run: ${message}`);
  }
}
