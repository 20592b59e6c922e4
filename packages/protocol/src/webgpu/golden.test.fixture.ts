/**
 * Recorded streams: what a released protocol sent, and the calls it led to. `golden/record.mjs` writes a file once for a
 * protocol; the tests replay it for ever.
 */
import fc from "fast-check";
import type { RingReader, RingWriter } from "../carrier/port.js";
import * as encode from "./encode.js";
import { EventReader } from "./event-reader.js";
import { EventWriter } from "./event-writer.js";
import * as commandEncoders from "./generated/command-encode.js";
import * as events from "./generated/events.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { Model, Sample } from "./model.test.fixture.js";
import { Samples } from "./model.test.fixture.js";
import { Reservation } from "./object-table.js";
import { type Call, type EngineObject, World } from "./world.test.fixture.js";

export interface Golden {
  /** Records in hexadecimal, in order. */
  readonly commands: readonly string[];
  readonly calls: unknown;
  readonly events: readonly string[];
  readonly eventCalls: unknown;
}

type Encoder = (first: unknown, ...args: unknown[]) => unknown;
const FIRST_NEW_ID = 1000;

/** Values as JSON: objects by their names, data as hexadecimal. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, each: unknown) => {
      if (each instanceof Uint8Array) return { data: Buffer.from(each).toString("hex") };
      if (each instanceof Reservation) return { reserved: each.id, kind: each.kind };
      if (typeof each === "object" && each !== null && "name" in each && "label" in each)
        return `<${String(each.name)}>`;
      return each;
    }),
  ) as unknown;
}

function take(rx: RingReader): string[] {
  const records: string[] = [];
  for (let i = rx.next(); i >= 0; i = rx.next()) {
    records.push(Buffer.from(rx.u8.subarray(i * 4, i * 4 + rx.recordBytes)).toString("hex"));
    rx.done();
  }
  return records;
}

function put(tx: RingWriter, records: readonly string[]): void {
  for (const record of records) tx.u8.set(Buffer.from(record, "hex"), tx.begin(record.length / 2) * 4);
}

/** A few samples of each command, from a fixed seed. */
export function recordGolden(model: Model): Golden {
  const world = new World({ ringBytes: 1 << 22 });
  const samples = new Samples(model, world);
  const several = (types: readonly fc.Arbitrary<Sample>[]): Sample[][] =>
    fc.sample(fc.tuple(...types), { seed: 20261121, numRuns: 4 });
  let id = FIRST_NEW_ID;
  for (const command of model.commands.filter((each) => !each.byHand && each.owner !== undefined)) {
    const kind = InterfaceKind[command.owner as keyof typeof InterfaceKind];
    const name = command.wrapped ? `${command.name}Record` : command.name;
    const encoder = (commandEncoders as unknown as Record<string, Encoder>)[name] as Encoder;
    const types = command.args.filter((arg) => arg.type.created !== true).map((arg) => samples.of(arg.type));
    for (const args of several(types)) {
      const created = command.creates ?? command.reserves;
      encoder(
        world.stream,
        10 * kind,
        ...(created === undefined ? [] : [id++]),
        ...args.map((arg) => arg.given),
      );
    }
  }
  recordByHand(world, id);
  world.stream.flush();
  const commands = [...take(world.engine.rx), ...recordFragments()];

  const writer = new EventWriter(world.engine.tx);
  for (const event of model.events) {
    const name = `encodeEvent${event.name[0]?.toUpperCase()}${event.name.slice(1)}`;
    const encoder = (events as unknown as Record<string, Encoder>)[name] as Encoder;
    for (const args of several(event.args.map((arg) => samples.of(arg.type)))) {
      encoder(writer, ...args.map(({ given, expected }) => (Array.isArray(expected) ? expected : given)));
    }
  }
  world.engine.tx.flush();
  const sent = take(world.client.rx);
  world.close();
  return { commands, calls: replayGolden(commands), events: sent, eventCalls: readGolden(sent) };
}

function recordByHand(world: World, id: number): void {
  const passes = [
    ["GPUComputePassEncoder", encode.computePassEncoderSetBindGroup, encode.computePassEncoderSetImmediates],
    ["GPURenderPassEncoder", encode.renderPassEncoderSetBindGroup, encode.renderPassEncoderSetImmediates],
    [
      "GPURenderBundleEncoder",
      encode.renderBundleEncoderSetBindGroup,
      encode.renderBundleEncoderSetImmediates,
    ],
  ] as const;
  for (const [name, setBindGroup, setImmediates] of passes) {
    const self = 10 * InterfaceKind[name];
    setBindGroup(world.stream, self, 0, null);
    setBindGroup(world.stream, self, 1, world.handled("GPUBindGroup"));
    setBindGroup(world.stream, self, 2, world.handled("GPUBindGroup"), [256, 512, 0xffffffff]);
    setImmediates(world.stream, self, 4, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
  }
  encode.setLabel(world.stream, 10 * InterfaceKind.GPUBuffer, "étiquette ☀");
  encode.importObject(world.stream, id, InterfaceKind.GPUBuffer, 3, 77);
  encode.release(world.stream, id);
}

/** A record in pieces needs a ring that is too small for it. */
function recordFragments(): string[] {
  const world = new World({ ringBytes: 4096 });
  const code = `// ${"long shader ".repeat(200)}`;
  encode.deviceCreateShaderModule(world.stream, 10 * InterfaceKind.GPUDevice, 9000, { code, label: "long" });
  world.stream.flush();
  const records = take(world.engine.rx);
  world.close();
  return records;
}

/** Carries recorded commands out. @returns the calls, comparable with the recorded ones */
export function replayGolden(records: readonly string[]): unknown {
  const world = new World({ ringBytes: 1 << 22 });
  put(world.client.tx, records);
  const calls = plain(world.replay().map(asFirstCalled));
  const failures = world.failures.map(({ command, error }) => `${command}: ${String(error)}`);
  world.close();
  return failures.length > 0 ? { failures } : calls;
}

/** Called on the object itself when the recordings were made. Who carries a command out is no part of the protocol. */
const methodAtFirst: Readonly<Record<string, string>> = {
  textureCreateView: "createView",
  commandEncoderFinish: "finish",
};

function asFirstCalled(call: Call): Call {
  const method = call.on === "special" ? methodAtFirst[call.method] : undefined;
  if (method === undefined) return call;
  const [self, ...args] = call.args;
  return { on: (self as EngineObject).name, method, args };
}

export function readGolden(records: readonly string[]): unknown {
  const world = new World({ ringBytes: 1 << 22 });
  put(world.engine.tx, records);
  world.engine.tx.flush();
  const calls: unknown[] = [];
  const handlers = new Proxy({} as events.EventHandlers, {
    get:
      (_target, name) =>
      (...args: unknown[]) =>
        calls.push(plain([name, ...args])),
  });
  new EventReader(world.client.rx).read(handlers);
  world.close();
  return calls;
}
