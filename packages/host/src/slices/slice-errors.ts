/** The host's errors as the device tree says them, and back. */
import { type ErrnoCode, isKernelError, KernelError } from "parhelion-core";
import { HostError, type HostErrorCode } from "../host-error.js";

const errnos: Readonly<Partial<Record<HostErrorCode, ErrnoCode>>> = {
  "bad-descriptor": "EINVAL",
  "limit-reached": "ENOSPC",
  "uuid-used": "EEXIST",
  "host-stopping": "ENODEV",
  "adapter-gone": "ENODEV",
  "guest-unknown": "ENODEV",
  "store-failed": "EIO",
};

/** For whoever wrote to a file of the tree. */
export function asKernelError(error: unknown): unknown {
  if (!(error instanceof HostError)) return error;
  return new KernelError(errnos[error.code] ?? "EIO", error.message, { cause: error });
}

/** For whoever asked over the admin socket. */
export function asHostError(error: unknown, slice: string): unknown {
  const said = isKernelError(error) && error.cause instanceof HostError ? error.cause : error;
  // It was there when this began: its removal was kept first.
  if (said instanceof HostError && said.code === "uuid-used")
    return new HostError("slice-unknown", `slice ${slice} was removed meanwhile.`, { details: { slice } });
  if (!isKernelError(error) || said instanceof HostError) return said;
  const details = { slice, errno: error.code };
  if (error.code === "ENODEV" || error.code === "ENXIO")
    return new HostError(
      "adapter-gone",
      `the adapter of slice ${slice} is on its way out: ${error.message}.`,
      {
        cause: error,
        details,
      },
    );
  return new HostError("slice-busy", `slice ${slice} is in use: ${error.message}.`, {
    cause: error,
    details,
    remedy: "Try again.",
  });
}

export function adapterGone(adapter: string): HostError {
  return new HostError("adapter-gone", `${adapter} is not there any more.`, {
    details: { adapter },
    remedy: "Add it again, or name another adapter.",
  });
}
