import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isProtocolError } from "../error.js";
import * as encode from "./encode.js";
import { InterfaceKind } from "./generated/numbers.js";
import { type Call, World } from "./world.test.fixture.js";

const QUEUE = 10 * InterfaceKind.GPUQueue;
const BUFFER = 10 * InterfaceKind.GPUBuffer;
const DEVICE = 10 * InterfaceKind.GPUDevice;

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, n) => (n * 31) & 255);

/** Puts the data of a write's records together again. */
function reassemble(calls: readonly Call[]): Uint8Array {
  const total = calls[0]?.args[3] as number;
  const whole = new Uint8Array(total);
  const start = calls[0]?.args[2] as number;
  calls.forEach(({ method, args }, index) => {
    assert.equal(method, "queueWriteBuffer");
    assert.equal(args[3], total);
    assert.equal(args[4], index > 0);
    whole.set(args[5] as Uint8Array, (args[2] as number) - start);
  });
  return whole;
}

describe("queueWriteBuffer", () => {
  test("writes the named range of any buffer source, in as many records as the ring needs", () => {
    const sources: readonly ((length: number) => ArrayBufferView | ArrayBuffer | SharedArrayBuffer)[] = [
      (length) => bytes(length),
      (length) => bytes(length).buffer as ArrayBuffer,
      (length) => new DataView(bytes(length + 3).buffer, 3),
      (length) => new Uint32Array(bytes(length).buffer as ArrayBuffer),
      (length) => new Uint8Array(new SharedArrayBuffer(length)),
      (length) => new SharedArrayBuffer(length),
    ];
    const world = new World({ ringBytes: 4096 });
    world.engine.onReadable(() => world.replayer.replay(1000));
    fc.assert(
      fc.property(
        fc.nat({ max: 3000 }).map((words) => words * 8),
        fc.nat({ max: sources.length - 1 }),
        fc.nat({ max: 8 }),
        (length, which, skip) => {
          const data = (sources[which] as (typeof sources)[0])(length);
          const unit = data instanceof Uint32Array ? 4 : 1;
          const offset = Math.min(skip * 4, length) / unit;
          world.calls.length = 0;
          encode.queueWriteBuffer(world.stream, QUEUE, world.handled("GPUBuffer"), 16, data, offset);
          world.stream.flush();
          while (world.replayer.replay(1000) > 0);
          const view = ArrayBuffer.isView(data)
            ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
            : new Uint8Array(data);
          assert.deepEqual(reassemble(world.calls), new Uint8Array(view).slice(offset * unit));
          assert.equal(world.calls[0]?.args[2], 16);
        },
      ),
      { numRuns: 60 },
    );
    world.close();
  });

  test("stays within the wire's numbers for an offset that is beyond any buffer", () => {
    const world = new World({ ringBytes: 4096 });
    const data = bytes(4096);
    world.engine.onReadable(() => world.replayer.replay(1000));
    encode.queueWriteBuffer(world.stream, QUEUE, world.handled("GPUBuffer"), 2 ** 53 - 8, data);
    world.stream.flush();
    while (world.replayer.replay(1000) > 0);
    assert.ok(world.calls.length > 1);
    assert.equal(world.calls[0]?.args[2], 2 ** 53 - 8);
    for (const { args } of world.calls) assert.equal(args[3], data.length);
    assert.equal(world.client.state, "open");
    world.close();
  });

  test("counts offset and size in elements of a typed array", () => {
    const world = new World();
    const data = Uint32Array.of(1, 2, 3, 4);
    encode.queueWriteBuffer(world.stream, QUEUE, world.handled("GPUBuffer"), 0, data, 1, 2);
    const [call] = world.replay();
    assert.deepEqual(call?.args[5], new Uint8Array(Uint32Array.of(2, 3).buffer));
    world.close();
  });
});

describe("bufferWriteMapped", () => {
  test("covers the range without gaps, at its offsets", () => {
    const world = new World({ ringBytes: 4096 });
    world.engine.onReadable(() => world.replayer.replay(1000));
    const data = bytes(5003);
    encode.bufferWriteMapped(world.stream, BUFFER, 24, data);
    world.stream.flush();
    while (world.replayer.replay(1000) > 0);
    const whole = new Uint8Array(data.length);
    for (const { args } of world.calls) whole.set(args[2] as Uint8Array, (args[1] as number) - 24);
    assert.deepEqual(whole, data);
    assert.ok(world.calls.length > 1);
    world.close();
  });
});

describe("queueWriteTexture", () => {
  const destination = (world: World): object => ({ texture: world.handled("GPUTexture") });

  test("sends data from the layout's offset on, no more than any format can use", () => {
    const world = new World();
    const data = bytes(100_000);
    encode.queueWriteTexture(
      world.stream,
      QUEUE,
      destination(world),
      data,
      { offset: 8, bytesPerRow: 256 },
      [4, 4],
    );
    const [call] = world.replay();
    assert.deepEqual(call?.args[2], { offset: 0, bytesPerRow: 256 });
    assert.deepEqual(call.args[3], { width: 4, height: 4, depthOrArrayLayers: 1 });
    assert.deepEqual(call.args[4], data.slice(8, 8 + 4 * 256));
    world.close();
  });

  test("keeps an offset beyond the data, so that the engine refuses it", () => {
    const world = new World();
    encode.queueWriteTexture(world.stream, QUEUE, destination(world), bytes(16), { offset: 20 }, [4]);
    const [call] = world.replay();
    assert.deepEqual(call?.args[2], { offset: 20 });
    assert.equal((call.args[4] as Uint8Array).length, 0);
    world.close();
  });

  test("cuts what is larger than a record into fragments", () => {
    const world = new World({ ringBytes: 4096 });
    world.engine.onReadable(() => world.replayer.replay(1000));
    const data = bytes(64 * 64 * 4);
    encode.queueWriteTexture(world.stream, QUEUE, destination(world), data, { bytesPerRow: 256 }, [64, 64]);
    world.stream.flush();
    while (world.replayer.replay(1000) > 0);
    assert.equal(world.calls.length, 1);
    assert.deepEqual(world.calls[0]?.args[4], data);
    world.close();
  });
});

describe("a record larger than the ring allows", () => {
  test("arrives whole: a long shader", () => {
    const world = new World({ ringBytes: 4096 });
    world.engine.onReadable(() => world.replayer.replay(1000));
    const code = "// ☀ parhelion\n".repeat(4000);
    encode.deviceCreateShaderModule(world.stream, DEVICE, 1000, { code });
    encode.deviceCreateSampler(world.stream, DEVICE, 1001);
    world.stream.flush();
    while (world.replayer.replay(1000) > 0);
    assert.deepEqual(
      world.calls.map((call) => call.method),
      ["createShaderModule", "createSampler"],
    );
    assert.deepEqual(world.calls[0]?.args, [{ code }]);
    world.close();
  });

  test("beyond the engine's limit is refused without being allocated", () => {
    const world = new World({ ringBytes: 4096, maxAssembled: 10_000 });
    const i = world.client.tx.begin(32);
    world.client.tx.u32.set([32, 1, 10_008, 0, 8, 0, 0, 0], i);
    assert.throws(
      () => world.replay(),
      (error) => isProtocolError(error, "over-limit"),
    );
    world.close();
  });

  test("takes memory as it arrives, not as it was announced", () => {
    const world = new World();
    const before = process.memoryUsage().arrayBuffers;
    const i = world.client.tx.begin(32);
    world.client.tx.u32.set([32, 1, 500 * 1024 * 1024, 0, 8, 0, 0, 0], i);
    world.replay();
    assert.ok(process.memoryUsage().arrayBuffers - before < 10 * 1024 * 1024);
    world.close();
  });

  const broken: Readonly<Record<string, readonly (readonly number[])[]>> = {
    "starts in the middle": [[32, 1, 64, 8, 8, 0, 0, 0]],
    "skips a piece": [
      [32, 1, 64, 0, 8, 0, 0, 0],
      [32, 1, 64, 16, 8, 0, 0, 0],
    ],
    "changes its size": [
      [32, 1, 64, 0, 8, 0, 64, 16],
      [32, 1, 72, 8, 8, 0, 0, 0],
    ],
    "is interrupted by a command": [
      [32, 1, 64, 0, 8, 0, 64, 16],
      [16, 16, BUFFER, 0],
    ],
    "has an empty piece": [[32, 1, 64, 0, 0, 0, 0, 0]],
    "has a piece larger than its record": [[32, 1, 64, 0, 16, 0, 0, 0]],
    "has a header too short": [[16, 1, 64, 0]],
    "claims another size inside": [[32, 1, 8, 0, 8, 0, 16, 16]],
  };
  for (const [what, records] of Object.entries(broken)) {
    test(`that ${what} is refused`, () => {
      const world = new World();
      for (const words of records) world.client.tx.u32.set(words, world.client.tx.begin(words.length * 4));
      assert.throws(
        () => world.replay(),
        (error) => isProtocolError(error, "bad-fragment"),
      );
      world.close();
    });
  }
});

describe("copyBufferToBuffer", () => {
  test("takes both overloads", () => {
    const world = new World();
    const [source, destination] = world.samplesOf("GPUBuffer");
    const encoder = 10 * InterfaceKind.GPUCommandEncoder;
    const copy = encode.commandEncoderCopyBufferToBuffer;
    copy(world.stream, encoder, source?.given, destination?.given);
    copy(world.stream, encoder, source?.given, destination?.given, 8);
    copy(world.stream, encoder, source?.given, 4, destination?.given, 12);
    copy(world.stream, encoder, source?.given, 4, destination?.given, 12, 16);
    const [from, to] = [source?.expected, destination?.expected];
    assert.deepEqual(
      world.replay().map((call) => call.args),
      [
        [from, 0, to, 0, undefined],
        [from, 0, to, 0, 8],
        [from, 4, to, 12, undefined],
        [from, 4, to, 12, 16],
      ],
    );
    world.close();
  });
});

describe("setBindGroup", () => {
  test("takes offsets as sequence, iterable or part of a Uint32Array", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0xffffffff }), { maxLength: 6 }),
        fc.nat({ max: 6 }),
        (offsets, skip) => {
          const world = new World();
          const [group] = world.samplesOf("GPUBindGroup");
          const pass = 10 * InterfaceKind.GPURenderPassEncoder;
          const set = encode.renderPassEncoderSetBindGroup;
          const start = Math.min(skip, offsets.length);
          set(world.stream, pass, 1, group?.given, offsets);
          set(
            world.stream,
            pass,
            2,
            group?.given,
            new Set([...offsets].values()).size === offsets.length ? new Set(offsets) : offsets,
          );
          set(world.stream, pass, 3, group?.given, Uint32Array.from(offsets), start, offsets.length - start);
          set(world.stream, pass, 4, null);
          const tail = (list: readonly number[]): unknown[] => (list.length === 0 ? [] : [[...list]]);
          assert.deepEqual(
            world.replay().map((call) => call.args),
            [
              [1, group?.expected, ...tail(offsets)],
              [2, group?.expected, ...tail(offsets)],
              [3, group?.expected, ...tail(offsets.slice(start))],
              [4, null],
            ],
          );
          world.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("setImmediates", () => {
  test("sends the named range", () => {
    const world = new World();
    const pass = 10 * InterfaceKind.GPUComputePassEncoder;
    encode.computePassEncoderSetImmediates(world.stream, pass, 4, Uint32Array.of(1, 2, 3), 1);
    encode.computePassEncoderSetImmediates(world.stream, pass, 0, bytes(12).buffer, 4, 4);
    encode.computePassEncoderSetImmediates(world.stream, pass, 0, new SharedArrayBuffer(3));
    assert.deepEqual(
      world.replay().map((call) => call.args),
      [
        [4, new Uint8Array(Uint32Array.of(2, 3).buffer)],
        [0, bytes(12).slice(4, 8)],
        [0, new Uint8Array(3)],
      ],
    );
    world.close();
  });
});
