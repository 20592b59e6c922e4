/** A plug that brings back what the port sends: RTS to CTS, DTR to DSR and carrier detect. */
import type { LineEnd, LineOutputs, SerialLine } from "./line.js";

export class LoopBackPlug implements SerialLine {
  readonly #port: LineEnd;

  constructor(port: LineEnd) {
    this.#port = port;
  }

  send(character: number): "sent" {
    this.#port.receive(character);
    return "sent";
  }

  outputs({ dataTerminalReady, requestToSend }: LineOutputs): void {
    this.#port.inputs({
      clearToSend: requestToSend,
      dataSetReady: dataTerminalReady,
      carrierDetect: dataTerminalReady,
      ringIndicator: false,
    });
  }

  break(state: "on" | "off"): void {
    // One zero character, however long it lasts.
    if (state === "on") this.#port.receive(0, "break");
  }
}
