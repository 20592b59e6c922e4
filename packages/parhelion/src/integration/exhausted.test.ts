/** An engine that is out of memory although its slice is not: its limit was more than the machine, or its container, had to give. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createEngineLauncher } from "parhelion-engine";
import { squares } from "./programs.test.fixture.js";
import { application, inWorld, until } from "./world.test.fixture.js";

/** Takes what there is, in ever smaller pieces, then has programs compiled, until its device is lost. */
const glutton = `
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
let state = "eating";
let refused = 0;
const told = device.lost.then(({ reason, message }) => {
  state = "lost";
  console.log("lost " + reason + ": " + message);
});
device.addEventListener("uncapturederror", () => {
  refused += 1;
});
const kept = [];
for (let size = 64 * 2 ** 20; size >= 4096 && state === "eating"; ) {
  device.pushErrorScope("out-of-memory");
  kept.push(device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }));
  const error = await device.popErrorScope().catch(() => null);
  if (error !== null) size /= 2;
}
console.log("full");
for (let n = 0; state === "eating"; n++) {
  const lines = Array.from({ length: 100 }, (_, l) => "x = x * " + (n + l) + ".5 + sin(x);").join(" ");
  const module = device.createShaderModule({ code: \`
    @group(0) @binding(0) var<storage, read_write> v: array<f32>;
    @compute @workgroup_size(1) fn main() { var x = v[0]; \${lines} v[0] = x; }\` });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const buffer = device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  device.queue.submit([encoder.finish()]);
  kept.push(module, pipeline);
  await device.queue.onSubmittedWorkDone().catch(() => undefined);
}
await told;
`;

test(
  "an engine that the machine has no more memory for is lost with its devices, and started again; its neighbour computes on",
  { timeout: 300_000 },
  () =>
    inWorld(
      async (world) => {
        const [greedy, neighbour] = [await world.guest(), await world.guest()];
        const engineOf = async (guest: string) =>
          (await world.host.status()).slices.find((slice) => slice.guest === guest)?.engine;
        const first = application(neighbour.created.directory, squares);
        await first.line("squares");
        await first.end();
        const next = await engineOf(neighbour.created.id);
        const eating = application(greedy.created.directory, glutton);
        await eating.line("full");
        const during = application(neighbour.created.directory, squares);
        assert.match(await eating.line("lost unknown"), /engine (was killed by|exited with code)/);
        await eating.end();
        await during.line("squares");
        await during.end();
        const failed = world.log.filter(({ event }) => event === "engine.failed");
        assert.deepEqual(
          failed.map(({ fields }) => [fields["failures"], fields["retryInMs"]]),
          [[1, 100]],
        );
        // It is started again by whoever needs it, and has room again.
        const again = application(greedy.created.directory, squares);
        await again.line("squares");
        await again.end();
        assert.equal((await engineOf(greedy.created.id))?.starts, 2);
        const still = await engineOf(neighbour.created.id);
        assert.deepEqual([still?.pid, still?.starts], [next?.pid, 1]);
        await until("nothing is counted", async () =>
          (await world.host.status()).slices.every(({ devices }) => devices === 0),
        );
      },
      {
        expects: ["engine.failed"],
        host: {
          launcher: {
            ...createEngineLauncher(),
            entry: fileURLToPath(new URL("hungry-engine.test.child.js", import.meta.url)),
          },
        },
      },
    ),
);
