/**
 * `node sample-server.mjs [-v] SOCKET`: serves the device that libvfio-user's sample client expects to find, until its client goes.
 *
 * A PCI function dead:beef. BAR0 has eight bytes: a time, in seconds since 1970, at which it interrupts and then writes the client's
 * memory and reads it back: four times 1024 bytes in the second mapping through its descriptor, and the same in the first by
 * messages. BAR1 has three pages. Both go along when the device is migrated.
 */
import { createRuntime, Device, System } from "parhelion-core";
import {
  DeviceFlag,
  loadKoffi,
  MigrationFlag,
  PciIrq,
  PciRegion,
  Vfio,
  VfioDevice,
  VfioUserServer,
} from "parhelion-vfio";

const socketPath = process.argv.slice(2).find((argument) => !argument.startsWith("-"));
if (socketPath === undefined) {
  console.error("usage: sample-server.mjs [-v] SOCKET");
  process.exit(64);
}
const say = (text) => console.error(`server[${process.pid}]: ${text}`);

class SampleDevice {
  bar0 = Buffer.alloc(8);
  bar1 = Buffer.alloc(0x3000);
  config = Buffer.alloc(256);
  mapped = [];
  vdev;
  state = "RUNNING";
  #at = 0;
  #timer;

  constructor() {
    this.config.writeUInt16LE(0xdead, 0);
    this.config.writeUInt16LE(0xbeef, 2);
    this.config.writeUInt16LE(0xcafe, 0x2c);
    this.config.writeUInt16LE(0xbabe, 0x2e);
    this.config[0x3d] = 1;
  }

  get ops() {
    const sizes = { [PciRegion.BAR0]: 8, [PciRegion.BAR1]: 0x3000, [PciRegion.CONFIG]: 256 };
    const bytes = (region) => (region === 0 ? this.bar0 : region === 1 ? this.bar1 : this.config);
    return {
      regions: () =>
        Array.from({ length: 9 }, (_, i) =>
          sizes[i] === undefined ? { size: 0, access: "none" } : { size: sizes[i], access: "read-write" },
        ),
      irqs: () => Array.from({ length: 5 }, (_, i) => ({ count: i === PciIrq.INTX ? 1 : 0 })),
      read: (region, offset, length) => bytes(region).subarray(offset, offset + length),
      write: (region, offset, data) => {
        bytes(region).set(data, offset);
        if (region === 0 && this.state === "RUNNING") this.#arm();
      },
      reset: () => say("reset"),
      migration: { flags: MigrationFlag.STOP_COPY | MigrationFlag.PRE_COPY, step: (arc) => this.#step(arc) },
    };
  }

  #arm() {
    const seconds = Number(this.bar0.readBigInt64LE()) - Math.floor(Date.now() / 1000);
    say(`interrupts in ${seconds} s`);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.#due().catch((error) => say(error.stack)),
      Math.max(0, seconds * 1000),
    );
  }

  async #due() {
    say(`interrupt: ${this.vdev.irqs.trigger(PciIrq.INTX) ? "heard" : "nobody listens"}`);
    const [first, second] = this.mapped;
    for (const [how, iova] of [
      ["descriptor", second],
      ["messages", first],
    ]) {
      const sent = Buffer.concat([0, 1, 2, 3].map((i) => Buffer.alloc(1024, 0x41 + i)));
      for (let at = 0; at < 4096; at += 1024)
        await this.vdev.dma.write(iova + BigInt(at), sent.subarray(at, at + 1024));
      const got = [];
      for (let at = 0; at < 4096; at += 2048) got.push(await this.vdev.dma.read(iova + BigInt(at), 2048));
      say(
        `memory at 0x${iova.toString(16)} by ${how}: ${sent.equals(Buffer.concat(got)) ? "as written" : "NOT as written"}`,
      );
    }
  }

  #step({ from, to }) {
    say(`${from} -> ${to}`);
    this.state = to;
    this.#at = 0;
    if (to === "STOP_COPY") clearTimeout(this.#timer);
    if (to === "RUNNING" && from === "STOP") this.#arm();
    const whole = () => Buffer.concat(this.state === "STOP_COPY" ? [this.bar1, this.bar0] : [this.bar1]);
    if (to === "PRE_COPY" || (to === "STOP_COPY" && from !== "PRE_COPY"))
      return {
        read: (length) => {
          const piece = whole().subarray(this.#at, this.#at + length);
          this.#at += piece.length;
          return piece;
        },
      };
    if (to !== "RESUMING") return undefined;
    return {
      write: (data) => {
        const both = Buffer.concat([this.bar1, this.bar0]);
        both.set(data, this.#at);
        this.#at += data.length;
        both.copy(this.bar1, 0, 0, 0x3000);
        both.copy(this.bar0, 0, 0x3000);
      },
    };
  }
}

const runtime = createRuntime({
  log: ({ level, event, fields }) => {
    if (level !== "debug") say(`${event} ${fields.why ?? fields.error ?? ""}`);
    else if (event === "vfio-user.refused") say(`refused: ${fields.error.message}`);
  },
});
const system = new System(runtime);
const bus = { name: "sample", match: () => false };
system.registerBus(bus);
const vfio = await Vfio.create(system);
const parent = new Device(runtime, { name: "sample0", bus });
await system.addDevice(parent);
const sample = new SampleDevice();
const vdev = new VfioDevice(vfio, { parent, flags: DeviceFlag.PCI, ops: () => sample.ops });
sample.vdev = vdev;
await vfio.register(vdev, { iommu: "emulated" });
const server = await VfioUserServer.listen(system, {
  device: "vfio0",
  socketPath,
  koffi: await loadKoffi(),
  memory: ({ iova }) => {
    sample.mapped.push(iova);
    return sample.mapped.length === 1 ? "message" : "descriptor";
  },
});
say(`listens; descriptors ${JSON.stringify(server.descriptors)}`);
let clients = 0;
setInterval(() => {
  clients = Math.max(clients, server.clients);
  if (clients > 0 && server.clients === 0) server.close().then(() => process.exit(0));
}, 50);
