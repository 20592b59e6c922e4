/** What a serial port is plugged into, and what that may do with the port. */

/** Set: the signal is asserted. */
export interface LineOutputs {
  readonly dataTerminalReady: boolean;
  readonly requestToSend: boolean;
}

/** Set: the signal is asserted. */
export interface LineInputs {
  readonly clearToSend: boolean;
  readonly dataSetReady: boolean;
  readonly ringIndicator: boolean;
  readonly carrierDetect: boolean;
}

/** What the receiver finds wrong with a character. */
export type CharacterError = "parity" | "framing" | "break";

export interface SerialLine {
  /** @returns "busy": it was not taken; `LineEnd.ready` has to be called when it can be. Must not throw */
  send(character: number): "sent" | "busy";
  /** The port drives these now; called when one has changed, and when it is plugged in. */
  outputs?(outputs: LineOutputs): void;
  /** The port holds the line in the space state, or does not any more. */
  break?(state: "on" | "off"): void;
  /** The receiver can take more than before. */
  room?(): void;
}

/** A port, for what it is plugged into. */
export interface LineEnd {
  /** How many characters it takes now without an overrun. */
  readonly room: number;
  /** A character has come, too many as well: that is an overrun. */
  receive(character: number, error?: CharacterError): void;
  inputs(inputs: LineInputs): void;
  /** The line takes characters again. */
  ready(): void;
}

/** What a line that nobody drives looks like. */
export const idleInputs: LineInputs = Object.freeze({
  clearToSend: false,
  dataSetReady: false,
  ringIndicator: false,
  carrierDetect: false,
});

/** Somebody who is always there and always ready to receive. */
export const readyInputs: LineInputs = Object.freeze({
  clearToSend: true,
  dataSetReady: true,
  ringIndicator: false,
  carrierDetect: true,
});

/** Nothing is plugged in: what is sent is lost. */
export const openLine: SerialLine = Object.freeze({ send: () => "sent" as const });
