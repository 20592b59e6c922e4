/** A device that never worked: what requestDevice gives when the adapter went away before. */
import type { AdapterDescription, CarrierKind, Port, RingReader, RingWriter } from "parhelion-protocol";
import type { OpenedDevice } from "./adapter-source.js";
import { DiscardRing } from "./discard-ring.js";

const ringBytes = 64 * 1024;

class EmptyRing extends DiscardRing implements RingReader {
  readonly recordBytes = 0;

  next(): number {
    return -1;
  }

  done(): void {}
}

class ClosedPort implements Port {
  readonly carrier: CarrierKind = "in-process";
  readonly state = "closed";
  readonly tx: RingWriter = new DiscardRing(ringBytes);
  readonly rx: RingReader = new EmptyRing(8);

  onReadable(): void {}
  onWritable(): void {}
  onClose(): void {}
  look(): number {
    return 0;
  }
  expectReply(): void {}
  ref(): void {}
  unref(): void {}
  close(): void {}
}

/** @param message why, for `device.lost` */
export function lostDevice(description: AdapterDescription, message: string): OpenedDevice {
  return {
    grant: { features: [], limits: description.limits },
    port: new ClosedPort(),
    serial: 0,
    onLost: (listener) => queueMicrotask(() => listener(message)),
    release: () => {},
  };
}
