/** A serial card as a VFIO device: its registers and its interrupt line in a user's hands, its state to be taken along. */
import { KernelError, type Runtime } from "parhelion-core";
import type { VfioDevice } from "../../device/device.js";
import type { VfioDeviceOps } from "../../device/ops.js";
import type { VfioIrq } from "../../irq/irq.js";
import { PciIrq } from "../../irq/irq.js";
import { MigrationFlag } from "../../migration/ops.js";
import type { VfioRegion } from "../../region/region.js";
import { PciRegion } from "../../region/region.js";
import { BytesStream, CollectedStream } from "../migration-stream.js";
import type { LineEnd, SerialLine } from "./line.js";
import { SerialCard } from "./serial-card.js";
import type { SerialPorts } from "./serial-config.js";

/** Plugs something into a port. @param number 0 or 1 @returns how to take it out */
export type PlugPort = (port: SerialPort, number: number) => () => void | Promise<void>;

export interface SerialPort extends LineEnd {
  plug(line: SerialLine): void;
}

export interface SerialDeviceInit {
  readonly runtime: Runtime;
  readonly name: string;
  readonly ports: SerialPorts;
  readonly plug: PlugPort;
}

const none: VfioRegion = { size: 0, access: "none" };

export function serialDeviceOps(vdev: VfioDevice, init: SerialDeviceInit): VfioDeviceOps {
  const { runtime, name, ports, plug } = init;
  const card = new SerialCard(runtime, name, ports, (level) => vdev.irqs.drive(PciIrq.INTX, level));
  const unplug = card.ports.map((port, number) => plug(port, number));
  let incoming: CollectedStream | null = null;
  const bar: VfioRegion = { size: card.barBytes, access: "read-write" };
  const regions = Array.from({ length: PciRegion.VGA + 1 }, () => none);
  regions.fill(bar, PciRegion.BAR0, ports);
  regions[PciRegion.CONFIG] = { size: card.config.size, access: "read-write" };
  const irqs: VfioIrq[] = Array.from({ length: PciIrq.REQ + 1 }, () => ({ count: 0 }));
  irqs[PciIrq.INTX] = { count: 1, automasked: true };
  irqs[PciIrq.REQ] = { count: 1, notice: true };
  return {
    regions: () => regions,
    irqs: () => irqs,
    openDevice: () => card.reset(),
    // The next user sees nothing of what this one had.
    closeDevice() {
      incoming = null;
      card.reset();
      card.resume();
    },
    read: (region, offset, length) =>
      region === PciRegion.CONFIG ? card.config.read(offset, length) : card.read(region, offset, length),
    write(region, offset, bytes) {
      if (region === PciRegion.CONFIG) card.config.write(offset, bytes);
      else card.write(region, offset, bytes);
    },
    reset() {
      incoming = null;
      card.reset();
      card.resume();
    },
    request: () => void vdev.irqs.trigger(PciIrq.REQ),
    migration: {
      flags: MigrationFlag.STOP_COPY,
      dataSize: () => BigInt(card.stateBytes),
      step({ from, to }) {
        if (from === "RUNNING" && to === "STOP") return card.pause();
        if (from === "STOP" && to === "RUNNING") return card.resume();
        if (from === "STOP" && to === "STOP_COPY") return new BytesStream(card.state);
        if (from === "STOP_COPY" && to === "STOP") return;
        if (from === "STOP" && to === "RESUMING") {
          incoming = new CollectedStream(card.stateBytes);
          return incoming;
        }
        if (from === "RESUMING" && to === "STOP") {
          const state = incoming?.bytes ?? new Uint8Array();
          incoming = null;
          return card.restore(state);
        }
        throw new KernelError("EINVAL", `${name} knows no way from ${from} to ${to}`);
      },
    },
    release() {
      runtime.scheduler.spawn(`end of ${name}`, async () => {
        for (const each of unplug) await each();
        await card.close();
      });
    },
  };
}
