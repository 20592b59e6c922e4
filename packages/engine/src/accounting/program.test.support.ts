/** Programs of random operations on a slice, run against a real engine, with what must hold after each of them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encode, InterfaceKind } from "parhelion-protocol";
import { type Script, Usage } from "../script.test.support.js";

/** The engine under test, in process or not. */
export interface Slice {
  open(): Promise<Script>;
  /** Loses the device that was opened as number `n`, from 0. */
  lose(n: number): void;
  grant(memoryBytes: number): void;
  used(): Promise<number>;
  collect(): void;
}

const MiB = 2 ** 20;
const kinds = ["buffer", "texture", "querySet", "module"] as const;
type Kind = (typeof kinds)[number];

const size = fc.oneof(fc.constantFrom(0, 4, 256, 4096, 3 * MiB, 4 * MiB, 40 * MiB), fc.nat(8 * MiB));
const which = fc.nat(30);

/** One operation on one of the devices. */
export const operation = fc.record({
  device: fc.nat(2),
  act: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom({ do: "sync" } as const, { do: "submit" } as const) },
    {
      weight: 10,
      arbitrary: fc.record({
        do: fc.constant("create" as const),
        kind: fc.constantFrom(...kinds),
        size,
        mapped: fc.boolean(),
        layers: fc.integer({ min: 1, max: 6 }),
      }),
    },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constantFrom("destroy", "drop", "map", "unmap", "copy", "hold", "view"),
        which,
      }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("write" as const), which, size: fc.nat(MiB) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("lose", "close") }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("grant" as const), size: fc.nat(64 * MiB) }) },
  ),
});
export type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

interface Thing {
  readonly kind: Kind | "view" | "commands";
  readonly id: number;
  readonly size: number;
}

class Device {
  readonly script: Script;
  readonly number: number;
  things: Thing[] = [];

  constructor(script: Script, number: number) {
    this.script = script;
    this.number = number;
  }

  pick(which: number, ...kinds: Thing["kind"][]): Thing | undefined {
    const fitting = this.things.filter(({ kind }) => kinds.includes(kind));
    return fitting[which % Math.max(1, fitting.length)];
  }

  forget(thing: Thing): void {
    this.things = this.things.filter((each) => each !== thing);
    this.script.release(thing.id);
  }
}

export class RandomProgram {
  readonly #slice: Slice;
  readonly #devices = new Map<number, Device>();
  #granted: number;
  #opened = 0;
  /** In use when it was last looked. */
  #before = 0;

  constructor(slice: Slice, granted: number) {
    this.#slice = slice;
    this.#granted = granted;
  }

  /** @throws AssertionError when more is in use than is granted, but for what was there before the grant became less */
  async run(operations: readonly Operation[]): Promise<void> {
    for (const each of operations) {
      await this.#carryOut(each);
      const used = await this.#slice.used();
      const most = Math.max(this.#granted, this.#before);
      assert.ok(used <= most, `${used} in use after ${JSON.stringify(each)}, ${this.#granted} granted`);
      assert.ok(used >= 0, `${used} in use`);
      this.#before = used;
    }
  }

  /** Destroys and drops everything but the devices. */
  async clean(): Promise<void> {
    for (const device of this.#devices.values()) {
      const { script } = device;
      for (const thing of [...device.things]) {
        if (thing.kind === "buffer") encode.bufferDestroy(script.stream, thing.id);
        if (thing.kind === "texture") encode.textureDestroy(script.stream, thing.id);
        if (thing.kind === "querySet") encode.querySetDestroy(script.stream, thing.id);
        device.forget(thing);
      }
      script.submit();
      await script.done();
    }
  }

  get living(): number {
    return this.#devices.size;
  }

  async closeAll(): Promise<void> {
    for (const { script } of this.#devices.values()) {
      script.port.close();
      await script.closed;
    }
    this.#devices.clear();
  }

  async #carryOut({ device: n, act }: Operation): Promise<void> {
    if (act.do === "grant") {
      // What is on its way was asked for under the grant of now.
      for (const { script } of this.#devices.values()) await script.done();
      this.#before = await this.#slice.used();
      this.#granted = 4 * MiB + act.size;
      this.#slice.grant(this.#granted);
      return;
    }
    const device = this.#devices.get(n) ?? (await this.#open(n));
    if (device === undefined) return;
    const { script } = device;
    switch (act.do) {
      case "sync":
        await script.done();
        return;
      case "submit":
        script.submit();
        break;
      case "create":
        device.things.push(create(script, act));
        break;
      case "write": {
        const buffer = device.pick(act.which, "buffer");
        if (buffer !== undefined) script.write(buffer.id, 0, new Uint8Array(act.size & ~3));
        break;
      }
      case "lose":
        this.#devices.delete(n);
        this.#slice.lose(device.number);
        await script.closed;
        return;
      case "close":
        this.#devices.delete(n);
        script.port.close();
        await script.closed;
        return;
      case "destroy":
      case "drop":
      case "map":
      case "unmap":
      case "copy":
      case "hold":
      case "view":
        this.#touch(device, act.do, act.which);
    }
    script.stream.flush();
  }

  #touch(device: Device, what: Touch, which: number): void {
    const { script } = device;
    const buffer = device.pick(which, "buffer");
    switch (what) {
      case "destroy": {
        const thing = device.pick(which, "buffer", "texture", "querySet");
        if (thing?.kind === "buffer") encode.bufferDestroy(script.stream, thing.id);
        if (thing?.kind === "texture") encode.textureDestroy(script.stream, thing.id);
        if (thing?.kind === "querySet") encode.querySetDestroy(script.stream, thing.id);
        return;
      }
      case "drop": {
        const thing = device.pick(which, "buffer", "texture", "querySet", "module", "view", "commands");
        if (thing !== undefined) device.forget(thing);
        return;
      }
      case "map":
        if (buffer !== undefined) script.map(buffer.id, 1 + (which % 2)).catch(() => undefined);
        return;
      case "unmap":
        if (buffer !== undefined) script.unmap(buffer.id);
        return;
      case "copy":
        if (buffer !== undefined) script.copy(buffer.id, buffer.id, 4);
        return;
      case "hold": {
        if (buffer === undefined) return;
        const [encoder, commands] = [script.id(), script.id()];
        encode.deviceCreateCommandEncoder(script.stream, 1, encoder);
        encode.commandEncoderClearBuffer(script.stream, encoder, script.buffer(buffer.id));
        encode.commandEncoderFinish(script.stream, encoder, commands);
        script.release(encoder);
        device.things.push({ kind: "commands", id: commands, size: 0 });
        return;
      }
      case "view": {
        const texture = device.pick(which, "texture");
        if (texture === undefined) return;
        const view = script.id();
        encode.textureCreateView(script.stream, texture.id, view);
        device.things.push({ kind: "view", id: view, size: 0 });
      }
    }
  }

  async #open(n: number): Promise<Device | undefined> {
    try {
      const script = await this.#slice.open();
      const device = new Device(script, this.#opened++);
      this.#devices.set(n, device);
      return device;
    } catch {
      // No room for a device.
      return undefined;
    }
  }
}

type Touch = "destroy" | "drop" | "map" | "unmap" | "copy" | "hold" | "view";

function create(
  script: Script,
  { kind, size, mapped, layers }: { kind: Kind; size: number; mapped: boolean; layers: number },
): Thing {
  switch (kind) {
    case "buffer": {
      const usage = Usage.COPY_DST | (layers % 2 === 0 ? Usage.MAP_READ : Usage.COPY_SRC | Usage.STORAGE);
      const id = script.createBuffer(size & ~3, usage, mapped);
      return { kind, id, size };
    }
    case "texture": {
      const id = script.id();
      const side = 1 + (size % 600);
      encode.deviceCreateTexture(script.stream, 1, id, {
        size: [side, side, mapped ? 1 : layers],
        format: layers % 2 === 0 ? "rgba8unorm" : "r32float",
        usage: 2 | 4 | 16,
        mipLevelCount: layers % 3 === 0 && side > 4 ? 3 : 1,
      });
      return { kind, id, size };
    }
    case "querySet": {
      const id = script.id();
      encode.deviceCreateQuerySet(script.stream, 1, id, { type: "occlusion", count: 1 + (size % 4096) });
      return { kind, id, size };
    }
    case "module": {
      const [id, pipeline] = [script.id(), script.id()];
      const code = "@compute @workgroup_size(1) fn main() {}".padEnd(100 + (size % 1000));
      encode.deviceCreateShaderModule(script.stream, 1, id, { code });
      encode.deviceCreateComputePipeline(script.stream, 1, pipeline, {
        layout: "auto",
        compute: { module: script.handle(InterfaceKind.GPUShaderModule, id) },
      });
      script.release(pipeline);
      return { kind, id, size };
    }
  }
}
