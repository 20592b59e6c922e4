/**
 * The designs that were argued about, as the choices in which they differ. The parts read these and nothing else, so two
 * designs differ in what stands here and in nothing else.
 *
 * The *context* is what the callbacks of the channel subsystem and the mediated device work on together: state, interrupt
 * block, work items, the vfio device. The *outer* struct is what the subchannel's driver data points to.
 */

export interface Design {
  readonly name: string;
  /** Whose probe allocates the context. It lives until that side is removed, or the last reference is gone. */
  readonly contextOf: "subchannel" | "mdev";
  /** What stands between the subchannel and the context. */
  readonly outer: "the context" | "a struct" | "nothing";
  /** Who switches the subchannel on; it is switched off by the opposite. */
  readonly enabledBy: "css probe" | "mdev probe" | "open";
  /** How the pointers to outer struct and context are set and cleared. */
  readonly publishing: "without a lock" | "under the subchannel's lock";
  /** What a callback that has found the context holds while it uses it. */
  readonly callbacksHold:
    | "nothing"
    | "a registration reference"
    | "a registration reference, taken in a second step";
  /** What a callback makes of a subchannel that has no outer struct (yet, or any more). */
  readonly missingOuter: "dereferenced" | "expected";
  /** What the removal of the mdev does before it returns. */
  readonly removal: "returns" | "waits for release";
  /** What becomes of work that is queued when the context is withdrawn. */
  readonly work: "stays queued" | "cancelled";
  /** What close waits for when it finds the subchannel busy. */
  readonly quiesce: "waits for interrupt and work" | "waits for the interrupt";
  /** Whether the state machine's events exclude each other. */
  readonly events: "free" | "one at a time" | "one at a time, a reset counting as one";
  /** What becomes of open files when the mdev is removed. */
  readonly openFiles: "waited for" | "revoked";
  readonly cssRemove: "quiesces first" | "removes the mdev first";
}

/** The series of April 2021: the vfio device inside the struct that the css driver allocates. */
export const embedded: Design = {
  name: "as posted (vfio_device in the css driver's struct, 2021)",
  contextOf: "subchannel",
  outer: "the context",
  enabledBy: "css probe",
  publishing: "without a lock",
  callbacksHold: "nothing",
  missingOuter: "dereferenced",
  removal: "returns",
  work: "stays queued",
  quiesce: "waits for interrupt and work",
  events: "free",
  openFiles: "waited for",
  cssRemove: "quiesces first",
};

/** The kernel of 6.0: posted design, but enabled by open, and the mdev goes first. */
export const merged: Design = {
  ...embedded,
  name: "as merged (6.0)",
  enabledBy: "open",
  cssRemove: "removes the mdev first",
};

export const waiting: Design = {
  ...merged,
  name: "as repaired (6.1, removal waits for the last reference)",
  removal: "waits for release",
};

export const linked: Design = {
  ...embedded,
  name: "as Cornelia Huck proposed (a second struct, linked by a pointer)",
  contextOf: "mdev",
  outer: "a struct",
};

export const inMdevProbe: Design = {
  ...embedded,
  name: "as Jason Gunthorpe answered (everything in the mdev's probe)",
  contextOf: "mdev",
  outer: "nothing",
  enabledBy: "mdev probe",
  cssRemove: "removes the mdev first",
};

export const counted: Design = {
  ...inMdevProbe,
  name: "everything in the mdev's probe, callbacks with a registration reference",
  callbacksHold: "a registration reference",
};

export const parented: Design = {
  ...inMdevProbe,
  name: "as the kernel ended (6.2, parent and private)",
  outer: "a struct",
  enabledBy: "open",
};

/**
 * What is missing in the kernel's end: pointers change under the lock that every callback holds, no parent is a case
 * like no mdev, work is cancelled once nobody can queue it any more, and the state machine has one lock.
 */
export const ruled: Design = {
  ...parented,
  name: "the rule",
  publishing: "under the subchannel's lock",
  missingOuter: "expected",
  work: "cancelled",
  // Work that needs the lock of the state machine must not be waited for under it.
  quiesce: "waits for the interrupt",
  events: "one at a time, a reset counting as one",
};

/** Beyond what the kernel's vfio has: an open file is told ENODEV and holds memory, not the removal. */
export const revoking: Design = { ...ruled, name: "the rule, with open files revoked", openFiles: "revoked" };
