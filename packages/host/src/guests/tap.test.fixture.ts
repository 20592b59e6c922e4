/** A carrier that keeps what one end sends, so that somebody can say it again. */
import type { VmbusCarrier, VmbusReceiver } from "parhelion-buses";

export interface TappedFrame {
  readonly relid: number;
  readonly payload: Uint8Array;
}

export class Tap implements VmbusCarrier {
  readonly sent: TappedFrame[] = [];
  readonly #carrier: VmbusCarrier;

  constructor(carrier: VmbusCarrier) {
    this.#carrier = carrier;
  }

  receive(receiver: VmbusReceiver): void {
    this.#carrier.receive(receiver);
  }

  send(relid: number, payload: Uint8Array): void {
    this.sent.push({ relid, payload: payload.slice() });
    this.#carrier.send(relid, payload);
  }

  replay({ relid, payload }: TappedFrame): void {
    this.#carrier.send(relid, payload);
  }

  close(): void {
    this.#carrier.close();
  }

  cut(): void {
    this.#carrier.cut();
  }
}
