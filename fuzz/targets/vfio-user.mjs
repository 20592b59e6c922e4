/** A client of a served VFIO device: any stream of messages and descriptors. */
import { FakeClock, FakeSocket, turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { text } from "../lib/units.mjs";

const headerBytes = 16;
const sizeAt = 4;
/** Bits of a message's id that say how many descriptors come with it. */
const fdBits = 0xf000;

const u32 = (...words) => new Uint8Array(Uint32Array.from(words).buffer);
const u64 = (...words) => new Uint8Array(BigUint64Array.from(words.map(BigInt)).buffer);

function message(command, body = new Uint8Array(0), { id = 1, flags = 0 } = {}) {
  const head = new Uint8Array(headerBytes);
  const view = new DataView(head.buffer);
  view.setUint16(0, id, true);
  view.setUint16(2, command, true);
  view.setUint32(8, flags, true);
  return mend(join([head, body]));
}

/** Messages have their size behind the id and the command. What does not parse is the last one. */
function split(input) {
  const units = [];
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let at = 0;
  while (input.length - at >= headerBytes) {
    const size = view.getUint32(at + sizeAt, true);
    if (size < headerBytes || size > input.length - at) break;
    units.push(input.subarray(at, at + size));
    at += size;
  }
  if (at < input.length) units.push(input.subarray(at));
  return units;
}

function mend(unit) {
  const mended = unit.length >= headerBytes ? unit : join([unit, new Uint8Array(headerBytes - unit.length)]);
  new DataView(mended.buffer, mended.byteOffset).setUint32(sizeAt, mended.length, true);
  return mended;
}

const capabilities = text(
  '{"capabilities":{"max_msg_fds":8,"max_data_xfer_size":1024,"write_multiple":true}}\0',
);
const version = message(1, join([u32(0x20000), capabilities]));
/** All that QEMU names: it is asked before it is written to. */
const versionOfQemu = message(
  1,
  join([
    u32(0x20000),
    text(
      '{"capabilities":{"max_msg_fds":8,"max_data_xfer_size":1024,"max_dma_maps":9,"pgsizes":4096,"migration":{"pgsize":4096},"write_multiple":true}}\0',
    ),
  ]),
);
const get = 0x10000;
const set = 0x20000;
const fds = (count) => ({ id: 1 | (count << 12) });
const valid = [
  message(2, join([u32(32, 3), u64(0, 0x10000, 0x4000)])),
  message(2, join([u32(32, 3), u64(0, 0x40000, 0x1000)]), fds(1)),
  message(3, join([u32(24, 0), u64(0x10000, 0x4000)])),
  message(3, join([u32(24, 2), u64(0, 0)])),
  message(4, u32(16, 0, 0, 0)),
  message(5, u32(64, 0, 1, 0, 0, 0, 0, 0)),
  message(6, u32(16, 0, 0, 0)),
  message(7, u32(16, 0, 1, 0)),
  message(8, u32(20, 0x24, 1, 0, 2), fds(2)),
  message(8, u32(20, 0x24, 1, 0, 2)),
  message(8, u32(20, 0x21, 0, 0, 1)),
  message(8, join([u32(24, 0x12, 0, 0, 1), u32(1)])),
  message(9, join([u64(8), u32(0, 100)])),
  message(10, join([u64(8), u32(0, 4), u32(7)])),
  // The device reads and writes the client's memory.
  message(10, join([u64(0), u32(1, 16), u64(0x10000), u32(64, 1)])),
  message(10, join([u64(0), u32(1, 16), u64(0x10ff0), u32(64, 2)]), { flags: 0x10 }),
  message(11, join([u64(0x10000), u64(64), new Uint8Array(64)]), { flags: 1 }),
  message(11, new Uint8Array(0), { flags: 0x21 }),
  message(12, u64(0x10ff0, 64), { flags: 1, id: 2 }),
  message(13),
  message(15, join([u64(2), u64(0), u32(0, 8), u64(1), u64(8), u32(0, 4), u64(2)])),
  message(16, u32(16, 1 | get)),
  message(16, u32(16, 2 | set, 3, 0)),
  message(16, u32(16, 2 | set, 4, 0)),
  message(16, u32(16, 2 | get)),
  message(16, join([u32(24, 6 | set), u64(4096), u32(0, 0)])),
  message(16, join([u32(48, 8 | get), u64(0x10000, 0x4000, 4096)])),
  message(16, u32(8, 7 | set)),
  message(17, u32(8, 100)),
  message(18, join([u32(8, 4), u32(5)])),
];

export const target = {
  description: "a VFIO device's client",
  split,
  mend,
  countOf: (input) => Math.max(1, split(input).length),
  dictionary: {
    words: [
      ...Array(19).keys(),
      0x10,
      0x20,
      0x21,
      0x24,
      4096,
      0x10000,
      0x40000,
      0x10001,
      0x20002,
      1024 * 1024 + 4096,
    ],
    bytes: [capabilities],
  },
  seeds: () => [
    version,
    ...valid.map((one) => join([version, one])),
    join([version, ...valid]),
    join([version, ...valid].reverse()),
    join([version, valid[0], valid[14], valid[16], valid[2]]),
    join([version, valid[22], valid[28], valid[28], valid[4]]),
    join([version, valid[23], valid[29], valid[24]]),
    join([versionOfQemu, ...valid]),
    // The device writes what is not zero; it reads zeros where it is to write, its one byte is answered as by QEMU, and so is the rest.
    join([
      versionOfQemu,
      valid[0],
      valid[13],
      valid[15],
      message(11, join([u64(0x10ff0, 64), new Uint8Array(64)]), { flags: 1, id: 1 }),
      message(12, new Uint8Array(0), { flags: 1, id: 2 }),
      message(11, join([u64(0x10ff8, 1), new Uint8Array(1)]), { flags: 1, id: 3 }),
      message(12, new Uint8Array(0), { flags: 1, id: 4 }),
    ]),
  ],
  setup: async () => {
    const { createRuntime, Device, isKernelError, System } = await import(
      "../../packages/core/dist/index.js"
    );
    const { AttachedDevice, Vfio, VfioDevice } = await import("../../packages/vfio/dist/index.js");
    const { Session } = await import("../../packages/vfio/dist/user/server/session.js");
    const { defaultPatience } = await import("../../packages/vfio/dist/user/server/options.js");
    const { ClientSocket } = await import("../../packages/vfio/dist/user/socket/client-socket.js");

    const mistakes = [];
    const clock = new FakeClock();
    const runtime = createRuntime({
      clock,
      log: ({ level, event, fields }) => {
        if (level === "error" && !isKernelError(fields.error))
          mistakes.push(fields.error ?? new Error(event));
      },
    });
    const system = new System(runtime);
    const bus = { name: "fuzz", match: () => false };
    system.registerBus(bus);
    const vfio = await Vfio.create(system);
    const parent = new Device(runtime, { name: "fuzz0", bus });
    await system.addDevice(parent);
    const device = { opened: 0, vdev: null };
    device.vdev = new VfioDevice(vfio, { parent, ops: () => opsOf(device) });
    await vfio.register(device.vdev, { iommu: "emulated" });

    return async (input) => {
      const open = new Set();
      let next = 100;
      const closeFd = (fd) => must(open.delete(fd), `descriptor ${fd} is closed twice, or is nobody's`);
      const socket = new ClosableSocket();
      const intake = new FakeIntake();
      const client = new ClientSocket(runtime, socket, intake, 1024 * 1024 + 4096, closeFd);
      const descriptors = {
        isSealable: () => true,
        close: closeFd,
        eventfds: (fds) => fds.map((fd) => ({ signal: () => undefined, release: () => closeFd(fd) })),
      };
      const session = new Session({
        runtime,
        name: "fuzz",
        socket: client,
        descriptors,
        patience: defaultPatience,
        open: () => AttachedDevice.open(system, "vfio0"),
        memory: () => "message",
      });
      const ran = session.run();
      for (const unit of split(input)) {
        const count = unit.length < 2 ? 0 : ((unit[1] << 8) & fdBits) >> 12;
        const fds = Array.from({ length: count }, () => next++);
        for (const fd of fds) open.add(fd);
        intake.piece(unit, fds);
        await turns(20);
      }
      await turns(100);
      const why = session.state;
      intake.end();
      let over = false;
      void ran.then(() => {
        over = true;
      });
      for (let i = 0; i < 50 && !over; i++) {
        await turns(100);
        clock.fireAll();
      }
      must(over, "the session does not end");
      must(device.opened === 0, "the device is left open");
      must(open.size === 0, `${open.size} descriptors are left open`);
      must(socket.destroyed, "the socket is left open");
      must(
        socket.written <= 4096 + 1200 * 1024 * (1 + split(input).length),
        "much more went out than was asked for",
      );
      if (mistakes.length > 0) throw mistakes.splice(0)[0];
      return why;
    };
  },
};

class ClosableSocket extends FakeSocket {
  get closed() {
    return this.destroyed;
  }
}

/** Bytes with their descriptors, as recvmsg gives them; what comes while it is held waits. */
class FakeIntake {
  descriptors = "passed";
  #receiver;
  #waiting = [];
  #flow = "reading";

  start(receiver) {
    this.#receiver = receiver;
  }

  piece(bytes, fds) {
    this.#waiting.push([bytes, fds]);
    this.look();
  }

  end() {
    this.#flow = "reading";
    this.look();
    this.#receiver.ended(null);
  }

  look() {
    while (this.#flow === "reading" && this.#waiting.length > 0)
      this.#receiver.piece(...this.#waiting.shift());
  }

  hold() {
    this.#flow = "held";
  }

  resume() {
    this.#flow = "reading";
    this.look();
  }

  async stop() {}
}

/** Region 0 is memory; a write to region 1 makes the device read (1) or write (2) so many bytes of its user's memory. */
function opsOf(device) {
  const memory = new Uint8Array(4096);
  return {
    openDevice: () => {
      device.opened += 1;
    },
    closeDevice: () => {
      device.opened -= 1;
    },
    regions: () => [
      { size: 4096, access: "read-write", mmap: "whole" },
      { size: 16, access: "read-write", type: { type: 1, subtype: 2 } },
      { size: 0, access: "none" },
    ],
    irqs: () => [
      { count: 1, automasked: true },
      { count: 4, noresize: true },
    ],
    read: (_region, offset, length) => memory.slice(offset, offset + length),
    write: async (region, offset, bytes) => {
      if (region === 0) {
        memory.set(bytes, offset);
        return;
      }
      if (offset !== 0 || bytes.length !== 16) return;
      const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
      const iova = view.getBigUint64(0, true);
      const length = Math.min(4096, view.getUint32(8, true));
      if (view.getUint32(12, true) === 1) memory.set(await device.vdev.dma.read(iova, length));
      else await device.vdev.dma.write(iova, memory.slice(0, length));
      device.vdev.irqs.trigger(0);
    },
    reset: () => void memory.fill(0),
    migration: {
      flags: 1,
      step: ({ to }) => {
        let at = 0;
        const read = (length) => {
          const piece = memory.slice(at, at + length);
          at += piece.length;
          return piece;
        };
        if (to === "STOP_COPY") return { read };
        return to === "RESUMING" ? { write: () => undefined } : undefined;
      },
    },
  };
}
