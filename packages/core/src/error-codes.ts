/**
 * What the device model means by its codes: Linux's error numbers in its own cases, and the rules whose breach is a bug. The source of
 * BugCode; docs/errors.md is made of it.
 */
import type { ErrnoCode } from "./errno.js";

interface CodeEntry {
  readonly means: string;
  /** Empty where there is nothing to do but look at the message. */
  readonly remedy: string;
}

export const errnoMeanings = {
  EPERM: { means: "It may not be done this way.", remedy: "" },
  ENOENT: {
    means: "There is no such entry, file or attribute.",
    remedy: "`parhelion tree` shows what there is.",
  },
  EINTR: { means: "A wait was interrupted.", remedy: "Try again." },
  EIO: { means: "A driver or the transport failed, or an attribute can't be used this way.", remedy: "" },
  ENXIO: { means: "There is no device with this number.", remedy: "" },
  E2BIG: { means: "More was written than fits.", remedy: "Write less." },
  EBADF: { means: "The handle or file is not open, or stands for something else.", remedy: "" },
  EAGAIN: { means: "Not now: something that is needed is missing or full.", remedy: "Try again." },
  ENOMEM: { means: "There is no memory for it.", remedy: "Give something back." },
  EACCES: { means: "It may not be read, written or mapped like this.", remedy: "" },
  EFAULT: { means: "An address or range is outside of what is mapped.", remedy: "" },
  EBUSY: {
    means: "It is in use, or bound to a driver.",
    remedy: "End that first; `parhelion unbind` takes a driver off.",
  },
  EEXIST: { means: "There is one of that name already.", remedy: "Choose another name." },
  ENODEV: {
    means:
      "The device is not there, or not any more: it was removed, its driver was taken off, or its channel was rescinded.",
    remedy: "Ask for an adapter again: requestAdapter finds what is there now.",
  },
  ENOTDIR: { means: "It is no directory.", remedy: "" },
  EISDIR: { means: "It is a directory.", remedy: "" },
  EINVAL: { means: "An argument is not one of those that are allowed; the message names it.", remedy: "" },
  EMFILE: {
    means: "A refusal: a process has as many objects or files as it may.",
    remedy: "Close or destroy some.",
  },
  ENOTTY: { means: "The device does not know this request.", remedy: "" },
  ENOSPC: { means: "A refusal: there is no room for one more.", remedy: "Remove some." },
  EPIPE: { means: "Nobody reads at the other end.", remedy: "" },
  ERANGE: { means: "A number is out of its range.", remedy: "" },
  EDEADLK: { means: "It would wait for itself.", remedy: "" },
  ENAMETOOLONG: { means: "A name is longer than names may be.", remedy: "" },
  ENOSYS: { means: "It is not offered here.", remedy: "" },
  ELOOP: { means: "Links lead in a circle.", remedy: "" },
  EPROTO: { means: "The other end broke the protocol.", remedy: "Use the same release on both ends." },
  EBADMSG: { means: "A message can't be read.", remedy: "Use the same release on both ends." },
  EOVERFLOW: { means: "A value does not fit.", remedy: "" },
  EBADFD: { means: "The file is open, but stands for something else than is wanted.", remedy: "" },
  EUSERS: {
    means: "A refusal: an adapter has no room for one more slice of that type.",
    remedy: "Remove slices, or take a smaller type.",
  },
  EMSGSIZE: { means: "A message is longer than it may be.", remedy: "" },
  EOPNOTSUPP: { means: "The driver does not support it.", remedy: "" },
  ECONNRESET: { means: "The connection ended.", remedy: "" },
  ENOBUFS: { means: "There is no room to send it.", remedy: "Try again." },
  ESHUTDOWN: { means: "It is being taken down.", remedy: "" },
  ETIMEDOUT: {
    means: "It did not happen by its deadline.",
    remedy: "Something hangs or is overloaded: look at the log.",
  },
  ECONNREFUSED: { means: "The other end does not want this connection.", remedy: "" },
  EALREADY: { means: "It is being done already.", remedy: "" },
  EINPROGRESS: { means: "It has begun and is not done.", remedy: "" },
  ESTALE: { means: "It names an earlier owner or generation.", remedy: "Look at it again, then ask again." },
  EDQUOT: {
    means: "A refusal by the host: a limit is reached. The error's data says which.",
    remedy: "Give something back, or have the limit raised.",
  },
  ECANCELED: { means: "It was given up before it was done.", remedy: "" },
  EPROBE_DEFER: {
    means: "A driver waits for something that is not there yet; it is probed again by itself.",
    remedy: "",
  },
} as const satisfies Readonly<Record<ErrnoCode, CodeEntry>>;

/** Codes of BugError: code broke a rule of the model. Nobody should handle it; report it. */
export const bugCodes = {
  "illegal-transition": { means: "A lifecycle made a step that its table does not have.", remedy: "" },
  "lock-not-held": { means: "What a lock protects was touched without it.", remedy: "" },
  "refcount-underflow": { means: "A reference was put that nobody had.", remedy: "" },
  "refcount-use-after-release": { means: "Something was used after its last reference was put.", remedy: "" },
  "devres-unknown": { means: "A resource was removed that the device does not have.", remedy: "" },
  "sync-state-not-paused": { means: "Sync state was resumed more often than it was paused.", remedy: "" },
  "wrong-runtime": { means: "Parts of two runtimes were mixed.", remedy: "" },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type BugCode = keyof typeof bugCodes;
