/**
 * The driver of a vGPU that is served as a VFIO device, its engine and its backend: registers, doorbells, whatever lies in the rings, and
 * memory that is taken away under them. The real function over the real address space.
 */
import { FakeClock, FakeSocket, turns } from "../lib/fake-socket.mjs";
import { must } from "../lib/finding.mjs";
import { join } from "../lib/mutate.mjs";
import { mendEqual, splitEqual } from "../lib/units.mjs";

const unitBytes = 16;
/** What happens: kind u8, small u8, at u16, value u32, more u64. */
const step = (kind, { small = 0, at = 0, value = 0, more = 0n } = {}) => {
  const unit = new Uint8Array(unitBytes);
  const view = new DataView(unit.buffer);
  view.setUint8(0, kinds[kind]);
  view.setUint8(1, small);
  view.setUint16(2, at, true);
  view.setUint32(4, value, true);
  view.setBigUint64(8, BigInt(more), true);
  return unit;
};
const kinds = Object.fromEntries(
  [
    "register",
    "memory",
    "turns",
    "unmap",
    "map",
    "read",
    "config",
    "reset",
    "notice",
    "engineSays",
    "engineEnds",
    "answer",
    "hold",
    "letGo",
    "command",
    "reopen",
    "engineStuck",
    "time",
  ].map((kind, number) => [kind, number]),
);
const names = Object.keys(kinds);

const configRegion = 7;
const memoryAndBusMaster = 6;
const iova = 0x1000_0000;
const memoryBytes = 0x1_0000;
const [commandsAt, noticesAt, requestAt, replyAt, sendAt, receiveAt] = [
  0, 0x2000, 0x6000, 0x7000, 0x8000, 0x9000,
];
const slots = 4;
const ringBytes = 4096;
const register = (at, value) => step("register", { at, value });
const begin = [
  step("map"),
  register(0x10, iova + commandsAt),
  register(0x18, slots),
  register(0x28, iova + noticesAt),
  register(0x30, 2),
  register(0x0c, 3),
];
/** A command in a slot, well formed; its request is what lies at `requestAt`. */
const command = (slot, { channel = 0, type = 5, bytes = 16, room = 64 } = {}) =>
  step("command", { small: slot, at: channel, value: type, more: BigInt(bytes) | (BigInt(room) << 32n) });
const doorbell = (count) => register(0x1c, count);
const queueAt = (number, at) => 0x3000 + 32 * number + at;
const words = (at, ...values) =>
  values.map((value, i) => step("memory", { at: at + 8 * i, more: BigInt(value) }));
const attach = (number) => [
  ...words(
    requestAt,
    BigInt(number) | (BigInt(ringBytes) << 32n),
    iova + sendAt,
    iova + receiveAt,
    ringBytes,
  ),
  command(0, { channel: 2, type: 1, bytes: 32 }),
  doorbell(1),
  step("turns", { small: 60 }),
];

export const target = {
  description: "a vGPU's driver, engine and backend",
  split: (input) => splitEqual(input, unitBytes),
  mend: (unit) => mendEqual(unit, unitBytes),
  countOf: (input) => Math.max(1, Math.ceil(input.length / unitBytes)),
  dictionary: {
    words: [
      ...Array(18).keys(),
      iova,
      iova + memoryBytes - 4,
      0x0c,
      0x10,
      0x18,
      0x1c,
      0x28,
      0x30,
      0x34,
      0x1000,
      0x3000,
      0x300c,
      1024,
      1025,
      ringBytes,
      128 * 1024,
      128 * 1024 + 1,
      0xffff_fff0,
    ],
    bytes: [],
  },
  seeds: () => [
    join([...begin, command(0), command(1), doorbell(2), step("turns", { small: 80 })]),
    join([
      ...begin,
      step("hold", { small: 1 }),
      command(0),
      command(1),
      doorbell(2),
      step("turns"),
      step("unmap"),
    ]),
    join([
      ...begin,
      step("hold", { small: 1 }),
      command(0, { bytes: 0 }),
      doorbell(1),
      step("turns", { small: 60 }),
      step("answer", { at: 65, value: 0 }),
      step("answer", { at: 20, value: 0xc0000001 }),
    ]),
    join([
      ...begin,
      step("notice", { at: 10 }),
      step("notice", { at: 8176 }),
      step("notice", { at: 1 }),
      step("turns", { small: 60 }),
      register(0x34, 1),
      step("notice", { at: 8177 }),
      step("notice", { at: 3 }),
    ]),
    join([
      ...begin,
      ...attach(3),
      register(queueAt(3, 0), 100),
      step("turns", { small: 60 }),
      step("engineSays", { small: 0, at: 5000 }),
      step("turns", { small: 60 }),
      register(queueAt(3, 12), 4096),
      step("turns", { small: 60 }),
      step("engineEnds", { small: 0 }),
    ]),
    join([
      ...begin,
      ...attach(0),
      step("engineStuck", { small: 1 }),
      register(queueAt(0, 0), 4096),
      step("turns", { small: 60 }),
      register(queueAt(0, 0), 8),
      step("engineStuck"),
      step("turns", { small: 60 }),
    ]),
    join([
      step("map", { small: 4 }),
      ...begin.slice(1),
      ...attach(1),
      register(queueAt(1, 0), 64),
      step("turns", { small: 30 }),
      step("unmap"),
      step("letGo"),
      step("turns", { small: 60 }),
      step("map", { small: 2 }),
      step("reset"),
      step("reopen"),
    ]),
    join([
      step("config", { at: 4, small: 1, value: 6 }),
      step("config", { at: 0x10, small: 3, value: 0xffffffff }),
    ]),
  ],
  setup: async () => {
    const { createRuntime, Device, isKernelError, System } = await import(
      "../../packages/core/dist/index.js"
    );
    const { vgpuConfigModel } = await import("../../packages/buses/dist/index.js");
    const { AttachedDevice, Vfio, VfioDevice } = await import("../../packages/vfio/dist/index.js");
    const { vgpuDeviceOps } = await import("../../packages/vfio/dist/devices/vgpu/vgpu-device.js");

    const mistakes = [];
    const clock = new FakeClock();
    const runtime = createRuntime({
      clock,
      log: ({ level, event, fields: { error } }) => {
        // What the driver did wrong is a KernelError, or says that a count can't be.
        const known = isKernelError(error) || error instanceof RangeError;
        if (level === "error" ? !isKernelError(error) : error !== undefined && !known)
          mistakes.push(error ?? new Error(event));
      },
    });
    const system = new System(runtime);
    const bus = { name: "fuzz", match: () => false };
    system.registerBus(bus);
    const vfio = await Vfio.create(system);
    const parent = new Device(runtime, { name: "fuzz0", bus });
    await system.addDevice(parent);
    const backend = new Backend(vgpuConfigModel);
    let ops;
    const vdev = new VfioDevice(vfio, {
      parent,
      ops: (made) => {
        ops = vgpuDeviceOps(made, runtime, "vgpu", backend);
        return ops;
      },
    });
    await vfio.register(vdev, { iommu: "emulated" });

    return async (input) => {
      const open = () => AttachedDevice.open(system, vdev.name);
      const driver = new Driver({ open, ops, backend, isKernelError, clock });
      await driver.open();
      let end;
      try {
        for (const unit of target.split(input)) {
          await driver.step(target.mend(unit));
          driver.check();
        }
        end = driver.summary();
      } finally {
        await driver.close();
      }
      must(backend.sessions === 0, "a session is left open");
      must(
        backend.engines.every(({ destroyed }) => destroyed),
        "a queue's stream is left open",
      );
      must(backend.serving <= 1024, `${backend.serving} commands at once`);
      backend.forget();
      if (mistakes.length > 0) throw mistakes.splice(0)[0];
      return end;
    };
  },
};

/** An engine's end of a queue: what it says is heard at once, as from a stream that flows. */
class Engine extends FakeSocket {
  #unwritten = [];
  stuck = false;

  on(event, listener) {
    super.on(event, listener);
    if (event === "data") this.resume();
    return this;
  }

  write(bytes, done) {
    if (!this.stuck) return super.write(bytes, done);
    this.#unwritten.push(done);
    return false;
  }

  move() {
    this.stuck = false;
    for (const done of this.#unwritten.splice(0)) done();
  }

  destroy(error) {
    super.destroy(error);
    // As a stream does for what was never written.
    this.move();
    return this;
  }
}

class Backend {
  config;
  engines = [];
  sessions = 0;
  serving = 0;
  held = [];
  holds = false;
  notify = () => undefined;

  constructor(vgpuConfigModel) {
    this.config = vgpuConfigModel({ channelInstance: "01234567-89ab-cdef-0123-456789abcdef", luid: 5n });
  }

  open(notify) {
    this.sessions += 1;
    this.notify = notify;
    return {
      serve: ({ body }) => {
        if (!this.holds) return Promise.resolve({ status: 0, body });
        this.serving += 1;
        return new Promise((resolve) => this.held.push(resolve));
      },
      openQueue: () => {
        const engine = new Engine();
        this.engines.push(engine);
        return engine;
      },
      close: () => {
        this.sessions -= 1;
        this.answerAll();
      },
    };
  }

  answer(reply) {
    const next = this.held.shift();
    if (next === undefined) return;
    this.serving -= 1;
    next(reply);
  }

  answerAll() {
    while (this.held.length > 0) this.answer({ status: -1, body: new Uint8Array() });
  }

  forget() {
    this.engines = [];
    this.holds = false;
    this.notify = () => undefined;
  }
}

/** Memory that nobody may touch when it has been taken back; the driver may take its time for each access. */
class Memory {
  state = "lent";
  waiting = [];
  #bytes;
  #slow;

  constructor(bytes, slow) {
    this.#bytes = bytes;
    this.#slow = slow;
  }

  read(at, length) {
    must(this.state === "lent", "memory that was taken back is read");
    const bytes = this.#part(at, length).slice();
    return this.#slow ? new Promise((resolve) => this.waiting.push(() => resolve(bytes))) : bytes;
  }

  write(at, bytes) {
    must(this.state === "lent", "memory that was taken back is written");
    this.#part(at, bytes.length).set(bytes);
    return this.#slow ? new Promise((resolve) => this.waiting.push(() => resolve())) : undefined;
  }

  letGo() {
    for (const go of this.waiting.splice(0)) go();
  }

  #part(at, length) {
    must(at >= 0n && Number(at) + length <= this.#bytes.length, "an access outside of the mapping");
    return this.#bytes.subarray(Number(at), Number(at) + length);
  }
}

const mostQueues = 128;
/** Bytes of a queue's ring. */
const mostRing = 2 ** 30;

class Driver {
  #clock;
  #openDevice;
  #ops;
  #backend;
  #isKernelError;
  #user;
  #memory = null;
  #bytes = new Uint8Array(memoryBytes);
  #underWay = 0;
  #wrong = null;
  /** By queue, how many bytes the driver said last that it has put. */
  #sent = new Map();
  #attached = 0;

  constructor({ open, ops, backend, isKernelError, clock }) {
    this.#clock = clock;
    this.#openDevice = open;
    this.#ops = ops;
    this.#backend = backend;
    this.#isKernelError = isKernelError;
  }

  async open() {
    this.#user = await this.#settled("open", this.#openDevice());
    this.#ops.write(configRegion, 4, Uint8Array.of(memoryAndBusMaster, 0));
    this.#sent.clear();
  }

  async step(unit) {
    const view = new DataView(unit.buffer, unit.byteOffset, unitBytes);
    const kind = names[view.getUint8(0) % names.length];
    const small = view.getUint8(1);
    const at = view.getUint16(2, true);
    const value = view.getUint32(4, true);
    const more = view.getBigUint64(8, true);
    const { engines } = this.#backend;
    const engine = engines[small % Math.max(1, engines.length)];
    switch (kind) {
      case "register": {
        const bytes = new Uint8Array(small === 0 ? 4 : small);
        for (let i = 0; i < bytes.length; i++) bytes[i] = value >>> (8 * (i % 4));
        this.#remember(at, bytes);
        this.#do("WRITE", { offset: BigInt(at), bytes });
        break;
      }
      case "memory":
        new DataView(this.#bytes.buffer).setBigUint64(Math.min(at, memoryBytes - 8), more, true);
        return;
      case "turns":
        await turns(small);
        return;
      case "unmap":
        await this.#unmap();
        return;
      case "map":
        await this.#map(small);
        return;
      case "read":
        this.#do("READ", { offset: BigInt(at), length: small + 1 });
        break;
      case "config":
        this.#do("WRITE", {
          offset: (7n << 40n) + BigInt(at % 256),
          bytes: new Uint8Array(Uint32Array.of(value).buffer).slice(0, 1 + (small % 4)),
        });
        break;
      case "reset":
        this.#sent.clear();
        this.#do("RESET", {});
        break;
      case "notice":
        this.#backend.notify({ type: value, process: small, body: new Uint8Array(at % 10_000) });
        return;
      case "engineSays":
        engine?.arrive(new Uint8Array(at));
        return;
      case "engineEnds":
        if (at % 2 === 0) engine?.hangUp();
        else engine?.destroy(new Error("the engine has gone"));
        return;
      case "answer":
        this.#backend.answer({ status: value | 0, body: new Uint8Array(at) });
        return;
      case "hold":
        this.#backend.holds = small > 0;
        return;
      case "letGo":
        this.#memory?.letGo();
        return;
      case "command":
        this.#place(small % 1024, at, value, Number(more & 0xffff_ffffn), Number(more >> 32n));
        return;
      case "reopen":
        await this.#closeDevice();
        await this.open();
        return;
      case "engineStuck":
        if (small > 0 && engine !== undefined) engine.stuck = true;
        else for (const one of engines) one.move();
        return;
      default:
        return;
    }
    await turns(12);
  }

  /** What holds at any moment, whoever does whatever. */
  check() {
    if (this.#wrong !== null) throw this.#wrong;
    const registers = viewOf(this.#ops.read(0, 0, 0x40));
    const status = registers.getUint32(8, true);
    must((status & ~7) === 0, `status ${status}`);
    const control = registers.getUint32(0x0c, true);
    if ((control & 1) === 1 && (status & 2) === 0) {
      const open = (registers.getUint32(0x1c, true) - registers.getUint32(0x20, true)) >>> 0;
      must(open <= registers.getUint32(0x18, true), `${open} commands are not answered`);
    }
    const queues = viewOf(this.#ops.read(0, 0x3000, 32 * mostQueues));
    // A queue that is new says nothing of what was sent to the one before.
    if (this.#backend.engines.length !== this.#attached) this.#sent.clear();
    this.#attached = this.#backend.engines.length;
    for (const [number, sent] of this.#sent) {
      if (queues.getUint32(32 * number + 16, true) !== 1) continue;
      const ahead = (sent - queues.getUint32(32 * number + 4, true)) >>> 0;
      must(ahead <= mostRing, `queue ${number} has taken more than was sent`);
    }
  }

  summary() {
    const registers = viewOf(this.#ops.read(0, 0, 0x40));
    const { engines } = this.#backend;
    return `${registers.getUint32(8, true)} ${registers.getUint32(0x0c, true)} ${Math.min(1, engines.length)}`;
  }

  async close() {
    await this.#closeDevice();
    for (let i = 0; i < 20 && this.#underWay > 0; i++) {
      await turns(100);
      this.#clock.fireAll();
    }
    must(this.#underWay === 0, `${this.#underWay} calls do not end`);
    await turns(100);
    if (this.#wrong !== null) throw this.#wrong;
  }

  async #closeDevice() {
    await this.#settled("close", this.#user.close());
    if (this.#memory !== null) this.#memory.state = "taken back";
    this.#memory?.letGo();
    this.#memory = null;
  }

  /** No call may need more than time: a driver that does not let go of its memory keeps nobody waiting. */
  async #settled(what, promise) {
    let state = "under way";
    const settled = () => {
      state = "settled";
    };
    promise.then(settled, settled);
    for (let i = 0; i < 40 && state === "under way"; i++) {
      await turns(100);
      if (state === "under way") this.#clock.fireAll();
    }
    must(state === "settled", `${what} does not end`);
    return promise;
  }

  /** What the driver says of queues that are open. */
  #remember(at, bytes) {
    const view = viewOf(bytes);
    const queues = viewOf(this.#ops.read(0, 0x3000, 32 * mostQueues));
    // A write that is not of whole words, or goes beyond, is refused.
    if (at < 0x3000 || at % 4 !== 0 || bytes.length % 4 !== 0 || at + bytes.length > 0x4000) return;
    for (let i = 0; i < bytes.length; i += 4) {
      const where = at + i - 0x3000;
      if (where % 32 !== 0) continue;
      if (queues.getUint32(where + 16, true) === 1) this.#sent.set(where / 32, view.getUint32(i, true));
    }
  }

  async #map(small) {
    if (this.#memory !== null) return;
    const memory = new Memory(this.#bytes, (small & 4) !== 0);
    const access = ["read-write", "read", "write", "read-write"][small & 3];
    const length = (small & 8) === 0 ? memoryBytes : memoryBytes / 2;
    await this.#settled("map", this.#user.map(BigInt(iova), BigInt(length), memory, access, 0n));
    this.#memory = memory;
  }

  async #unmap() {
    if (this.#memory === null) return;
    const memory = this.#memory;
    this.#memory = null;
    await this.#settled("unmap", this.#user.unmap(BigInt(iova), BigInt(memoryBytes)));
    memory.state = "taken back";
    memory.letGo();
  }

  #place(slot, channel, type, bytes, room) {
    const at = commandsAt + 64 * slot;
    const view = new DataView(this.#bytes.buffer);
    if (at + 64 > memoryBytes) return;
    view.setUint32(at, channel, true);
    view.setUint32(at + 4, type, true);
    view.setUint32(at + 8, 7, true);
    view.setUint32(at + 12, bytes, true);
    view.setBigUint64(at + 16, BigInt(iova + requestAt), true);
    view.setBigUint64(at + 24, BigInt(iova + replyAt), true);
    view.setUint32(at + 32, room, true);
    view.setUint32(at + 56, 0, true);
  }

  #do(op, argument) {
    this.#underWay += 1;
    this.#user.call(op, argument).then(
      () => {
        this.#underWay -= 1;
      },
      (error) => {
        this.#underWay -= 1;
        if (!this.#isKernelError(error)) this.#wrong ??= error;
      },
    );
  }
}

function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
