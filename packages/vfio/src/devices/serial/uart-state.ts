/** A port's state as bytes, for another host to go on with. */
import { KernelError } from "parhelion-core";
import type { UartState } from "./uart.js";
import { FIFO_CHARACTERS } from "./uart-registers.js";

/** Of every port, whatever it holds: nothing to measure, nothing to overrun. */
export const UART_STATE_BYTES = 64;

const at = {
  interruptEnable: 0,
  fifoControl: 1,
  lineControl: 2,
  scratch: 3,
  divisor: 4,
  modemControl: 6,
  modemStatus: 7,
  errors: 8,
  /** Bit 0 the timeout has come, 1 the transmitter's interrupt is wanted, 2 the shift register holds something. */
  latches: 9,
  shifting: 10,
  received: 11,
  holding: 12,
  /** Two bytes each: character, errors. */
  receiver: 16,
  transmitter: 48,
} as const;

export function encodeUart(state: UartState): Uint8Array {
  const bytes = new Uint8Array(UART_STATE_BYTES);
  const { receiver, transmitter, modem } = state;
  bytes[at.interruptEnable] = state.interruptEnable;
  bytes[at.fifoControl] = state.fifoControl;
  bytes[at.lineControl] = state.lineControl;
  bytes[at.scratch] = state.scratch;
  bytes[at.divisor] = state.divisor & 0xff;
  bytes[at.divisor + 1] = state.divisor >>> 8;
  bytes[at.modemControl] = modem.control;
  bytes[at.modemStatus] = modem.status;
  bytes[at.errors] = receiver.errors;
  bytes[at.latches] =
    (receiver.idle === "expired" ? 1 : 0) |
    (transmitter.emptied === "untold" ? 2 : 0) |
    (transmitter.shifting === null ? 0 : 4);
  bytes[at.shifting] = transmitter.shifting ?? 0;
  bytes[at.received] = receiver.characters.length;
  bytes[at.holding] = transmitter.holding.length;
  receiver.characters.forEach(({ character, errors }, i) => {
    bytes.set([character, errors], at.receiver + 2 * i);
  });
  bytes.set(transmitter.holding, at.transmitter);
  return bytes;
}

/** @throws KernelError EINVAL that can't be a port's */
export function decodeUart(bytes: Uint8Array): UartState {
  if (bytes.length !== UART_STATE_BYTES)
    throw new KernelError("EINVAL", `a port's state has ${UART_STATE_BYTES} bytes, not ${bytes.length}`);
  const get = (offset: number): number => bytes[offset] ?? 0;
  const received = get(at.received);
  const holding = get(at.holding);
  if (received > FIFO_CHARACTERS || holding > FIFO_CHARACTERS)
    throw new KernelError(
      "EINVAL",
      `a port's state says ${received} and ${holding} characters; its FIFOs hold ${FIFO_CHARACTERS}`,
    );
  const latches = get(at.latches);
  return {
    interruptEnable: get(at.interruptEnable),
    fifoControl: get(at.fifoControl),
    lineControl: get(at.lineControl),
    scratch: get(at.scratch),
    divisor: get(at.divisor) | (get(at.divisor + 1) << 8),
    receiver: {
      characters: Array.from({ length: received }, (_, i) => ({
        character: get(at.receiver + 2 * i),
        errors: get(at.receiver + 2 * i + 1),
      })),
      errors: get(at.errors),
      idle: (latches & 1) === 0 ? "waiting" : "expired",
    },
    transmitter: {
      holding: [...bytes.subarray(at.transmitter, at.transmitter + holding)],
      shifting: (latches & 4) === 0 ? null : get(at.shifting),
      emptied: (latches & 2) === 0 ? "told" : "untold",
    },
    modem: { control: get(at.modemControl), status: get(at.modemStatus) },
  };
}
