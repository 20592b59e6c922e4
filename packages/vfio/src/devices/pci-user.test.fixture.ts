/** A user of a PCI device through VFIO's own interface, as a virtual machine monitor is one: offsets are asked for, interrupts come by eventfd. */
import type { Runtime, System } from "parhelion-core";
import { AttachedDevice } from "../iommufd/attached-device.js";
import { EventCounter } from "../irq/eventfd.js";
import { IrqSetFlag } from "../irq/irq.js";
import { PciRegion } from "../region/region.js";

export class PciUser {
  readonly device: AttachedDevice;
  readonly #runtime: Runtime;

  private constructor(runtime: Runtime, device: AttachedDevice) {
    this.#runtime = runtime;
    this.device = device;
  }

  static async open(system: System, node: string): Promise<PciUser> {
    return new PciUser(system.runtime, await AttachedDevice.open(system, node));
  }

  async read(region: number, offset: number, length = 1): Promise<number> {
    const info = await this.device.call("GET_REGION_INFO", { argsz: 32, index: region });
    const bytes = await this.device.call("READ", { offset: info.offset + BigInt(offset), length });
    return Buffer.from(bytes).readUIntLE(0, length);
  }

  async write(region: number, offset: number, value: number, length = 1): Promise<void> {
    const info = await this.device.call("GET_REGION_INFO", { argsz: 32, index: region });
    const bytes = Buffer.alloc(length);
    bytes.writeUIntLE(value, 0, length);
    await this.device.call("WRITE", { offset: info.offset + BigInt(offset), bytes });
  }

  config(offset: number, length = 1): Promise<number> {
    return this.read(PciRegion.CONFIG, offset, length);
  }

  /** Where its driver would find its registers, by how a driver finds out: the size of each base address. */
  async barSizes(): Promise<number[]> {
    const sizes: number[] = [];
    for (let index = 0; index < 6; index++) {
      const offset = 0x10 + 4 * index;
      const before = await this.config(offset, 4);
      await this.write(PciRegion.CONFIG, offset, 0xffff_ffff, 4);
      const mask = await this.config(offset, 4);
      await this.write(PciRegion.CONFIG, offset, before, 4);
      const flags = (mask & 1) === 1 ? 0x3 : 0xf;
      sizes.push(mask === 0 ? 0 : (~(mask & ~flags) + 1) >>> 0);
      // The next one is the other half of a 64-bit address.
      if ((mask & 0x7) === 0x4) {
        index += 1;
        sizes.push(0);
      }
    }
    return sizes;
  }

  /** Listens to one vector. */
  async listen(index: number, vector = 0): Promise<EventCounter> {
    const counter = new EventCounter(this.#runtime, `interrupt ${index}.${vector}`);
    const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
    await this.device.call("SET_IRQS", { argsz: 24, flags, index, start: vector, count: 1, data: [counter] });
    return counter;
  }

  async unmask(index: number): Promise<void> {
    const flags = IrqSetFlag.DATA_NONE | IrqSetFlag.ACTION_UNMASK;
    await this.device.call("SET_IRQS", { argsz: 20, flags, index, start: 0, count: 1 });
  }

  async close(): Promise<void> {
    await this.device.close();
  }
}
