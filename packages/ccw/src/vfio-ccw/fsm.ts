/**
 * The state machine of a subchannel that is passed through, as a table (after drivers/s390/cio/vfio_ccw_fsm.c). What an
 * action does is said elsewhere; that the table is the kernel's is what a test of it compares.
 */

/**
 * "not-oper": the subchannel is gone. "standby": nobody has it open. "idle": open, nothing runs. "cp-processing": a channel
 * program is being translated. "cp-pending": the subchannel has it.
 */
export type FsmState = "not-oper" | "standby" | "idle" | "cp-processing" | "cp-pending";

export type FsmEvent = "not-oper" | "io-request" | "async-request" | "interrupt" | "open" | "close";

export type FsmAction =
  | "nothing"
  /** The subchannel is to be unregistered. */
  | "give up"
  | "refuse with EIO"
  | "refuse with EAGAIN"
  | "refuse with EBUSY"
  /** Nobody wants this interrupt: the subchannel should not be enabled. */
  | "disable"
  | "open"
  | "close"
  | "start"
  | "halt or clear"
  | "collect";

type Row = Readonly<Record<FsmEvent, FsmAction>>;

const opened: Row = {
  "not-oper": "give up",
  "io-request": "start",
  "async-request": "halt or clear",
  interrupt: "collect",
  open: "give up",
  close: "close",
};

const table: Readonly<Record<FsmState, Row>> = {
  "not-oper": {
    "not-oper": "nothing",
    "io-request": "refuse with EIO",
    "async-request": "refuse with EIO",
    interrupt: "disable",
    open: "nothing",
    close: "nothing",
  },
  standby: {
    "not-oper": "give up",
    "io-request": "refuse with EIO",
    "async-request": "refuse with EIO",
    interrupt: "disable",
    open: "open",
    close: "give up",
  },
  idle: opened,
  "cp-processing": {
    ...opened,
    "io-request": "refuse with EAGAIN",
    "async-request": "refuse with EAGAIN",
  },
  "cp-pending": { ...opened, "io-request": "refuse with EBUSY" },
};

/** What the event means in that state. */
export function actionOf(state: FsmState, event: FsmEvent): FsmAction {
  return table[state][event];
}
