/**
 * How fast commands go in and out of a ring, without a GPU: `node dist/webgpu/hot-path.test.bench.js`. Prints millions of
 * commands a second, the best of several rounds, for encoding, for replaying onto an empty object, and for both.
 */
import { createInProcessPair } from "../carrier/in-process.js";
import * as encode from "./encode.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { SpecialCommands } from "./generated/special-commands.js";
import { HANDLE, KIND, OWNER } from "./handle.js";
import { ObjectTable } from "./object-table.js";
import { Replayer } from "./replayer.js";
import { CommandStream } from "./stream.js";

const COMMANDS = 1_000_000;
const ROUNDS = 12;
const PASS = 5;
const MiB = 1024 * 1024;

class Sink {
  calls = 0;
  dispatchWorkgroups(x: number): void {
    this.calls += x;
  }
  setBindGroup(index: number): void {
    this.calls += index;
  }
  setPipeline(): void {
    this.calls += 1;
  }
}

const owner = {};
const group = { [HANDLE]: 6, [KIND]: InterfaceKind.GPUBindGroup, [OWNER]: owner };
const pipeline = { [HANDLE]: 7, [KIND]: InterfaceKind.GPUComputePipeline, [OWNER]: owner };

const programs: Readonly<Record<string, (stream: CommandStream, n: number) => void>> = {
  dispatch: (stream, n) => encode.computePassEncoderDispatchWorkgroups(stream, PASS, n & 7),
  "pipeline, group, dispatch": (stream, n) => {
    if (n % 3 === 0) encode.computePassEncoderSetPipeline(stream, PASS, pipeline);
    else if (n % 3 === 1) encode.computePassEncoderSetBindGroup(stream, PASS, 0, group);
    else encode.computePassEncoderDispatchWorkgroups(stream, PASS, 1, 1, 1);
  },
};

for (const [name, program] of Object.entries(programs)) {
  let [encoding, replaying, both] = [0, 0, 0];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [client, engine] = createInProcessPair({ geometry: { toEngine: 64 * MiB, toClient: MiB } });
    const objects = new ObjectTable();
    objects.put(PASS, InterfaceKind.GPUComputePassEncoder, new Sink());
    objects.put(6, InterfaceKind.GPUBindGroup, {});
    objects.put(7, InterfaceKind.GPUComputePipeline, {});
    const replayer = new Replayer(engine.rx, objects, {} as SpecialCommands);
    const stream = new CommandStream({ tx: client.tx, owner, features: new Set(), importForeign: () => 0 });
    const start = performance.now();
    for (let n = 0; n < COMMANDS; n += 1) program(stream, n);
    stream.flush();
    const middle = performance.now();
    const replayed = replayer.replay(COMMANDS);
    const end = performance.now();
    if (replayed !== COMMANDS) throw new Error(`${replayed} of ${COMMANDS} commands arrived`);
    encoding = Math.max(encoding, COMMANDS / (middle - start) / 1000);
    replaying = Math.max(replaying, COMMANDS / (end - middle) / 1000);
    both = Math.max(both, COMMANDS / (end - start) / 1000);
    client.close();
  }
  console.log(
    `${name}: encode ${encoding.toFixed(1)} M/s, replay ${replaying.toFixed(1)} M/s, both ${both.toFixed(1)} M/s`,
  );
}
