/** Error numbers that come over a socket, as errors. */
import { Errno, type ErrnoCode, KernelError } from "parhelion-core";

const codes: ReadonlyMap<number, ErrnoCode> = new Map(
  Object.entries(Errno).map(([code, number]) => [number, code as ErrnoCode]),
);

/** @param what was refused, by whom. One that is not known is an EIO that names it. */
export function refusal(what: string, errno: number): KernelError {
  const code = codes.get(errno);
  return code === undefined
    ? new KernelError("EIO", `${what}, with errno ${errno}`)
    : new KernelError(code, what);
}

/** The message of an error without its code, for another one's message. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/^E[A-Z0-9]+: /, "");
}
