/**
 * From which state to which a device goes on its way to another: the combination that a user asks for, one step at a
 * time (vfio_mig_get_next_state of Linux 6.18). States that the device does not have are skipped.
 */
import { KernelError } from "parhelion-core";
import { MigrationFlag, type MigrationState } from "./ops.js";

/** What a device must be able to do to be in a state. */
const needs: Readonly<Record<MigrationState, number | "nobody asks for it">> = {
  ERROR: "nobody asks for it",
  STOP: MigrationFlag.STOP_COPY,
  RUNNING: MigrationFlag.STOP_COPY,
  STOP_COPY: MigrationFlag.STOP_COPY,
  RESUMING: MigrationFlag.STOP_COPY,
  RUNNING_P2P: MigrationFlag.STOP_COPY | MigrationFlag.P2P,
  PRE_COPY: MigrationFlag.STOP_COPY | MigrationFlag.PRE_COPY,
  PRE_COPY_P2P: MigrationFlag.STOP_COPY | MigrationFlag.P2P | MigrationFlag.PRE_COPY,
};

type Wanted = Exclude<MigrationState, "ERROR">;

/** The first step from a state to each other one; null: there is no way. */
const firstStep: Readonly<Record<Wanted, Readonly<Record<Wanted, Wanted | null>>>> = {
  STOP: {
    STOP: "STOP",
    RUNNING: "RUNNING_P2P",
    STOP_COPY: "STOP_COPY",
    RESUMING: "RESUMING",
    RUNNING_P2P: "RUNNING_P2P",
    PRE_COPY: "RUNNING_P2P",
    PRE_COPY_P2P: "RUNNING_P2P",
  },
  RUNNING: {
    STOP: "RUNNING_P2P",
    RUNNING: "RUNNING",
    STOP_COPY: "RUNNING_P2P",
    RESUMING: "RUNNING_P2P",
    RUNNING_P2P: "RUNNING_P2P",
    PRE_COPY: "PRE_COPY",
    PRE_COPY_P2P: "RUNNING_P2P",
  },
  STOP_COPY: {
    STOP: "STOP",
    RUNNING: "STOP",
    STOP_COPY: "STOP_COPY",
    RESUMING: "STOP",
    RUNNING_P2P: "STOP",
    PRE_COPY: null,
    PRE_COPY_P2P: null,
  },
  RESUMING: {
    STOP: "STOP",
    RUNNING: "STOP",
    STOP_COPY: "STOP",
    RESUMING: "RESUMING",
    RUNNING_P2P: "STOP",
    PRE_COPY: "STOP",
    PRE_COPY_P2P: "STOP",
  },
  RUNNING_P2P: {
    STOP: "STOP",
    RUNNING: "RUNNING",
    STOP_COPY: "STOP",
    RESUMING: "STOP",
    RUNNING_P2P: "RUNNING_P2P",
    PRE_COPY: "RUNNING",
    PRE_COPY_P2P: "PRE_COPY_P2P",
  },
  PRE_COPY: {
    STOP: "RUNNING",
    RUNNING: "RUNNING",
    STOP_COPY: "PRE_COPY_P2P",
    RESUMING: "RUNNING",
    RUNNING_P2P: "RUNNING",
    PRE_COPY: "PRE_COPY",
    PRE_COPY_P2P: "PRE_COPY_P2P",
  },
  PRE_COPY_P2P: {
    STOP: "RUNNING_P2P",
    RUNNING: "RUNNING_P2P",
    STOP_COPY: "STOP_COPY",
    RESUMING: "RUNNING_P2P",
    RUNNING_P2P: "RUNNING_P2P",
    PRE_COPY: "PRE_COPY",
    PRE_COPY_P2P: "PRE_COPY_P2P",
  },
};

/** Whether a device that can do `flags` can be in the state. */
export function hasState(state: MigrationState, flags: number): boolean {
  const needed = needs[state];
  return typeof needed === "number" && (flags & needed) === needed;
}

/**
 * The next state on the way. @param flags what the device can do
 * @throws KernelError EINVAL the device has no such state, is in ERROR, or there is no way from the one to the other
 */
export function nextState(from: MigrationState, to: MigrationState, flags: number): Wanted {
  const what = `migration from ${from} to ${to}`;
  if (from === "ERROR") throw new KernelError("EINVAL", `${what}: only a reset leads out of ERROR`);
  if (to === "ERROR" || !hasState(from, flags) || !hasState(to, flags)) {
    throw new KernelError("EINVAL", `${what}: the device, which can do ${flags}, has no such state`);
  }
  let next = firstStep[from][to];
  while (next !== null && !hasState(next, flags)) next = firstStep[next][to];
  if (next !== null) return next;
  throw new KernelError("EINVAL", `${what}: there is no way; stop first`);
}
