/** A shader without an end in one guest, from the application's view and its neighbour's. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { squares } from "./programs.test.fixture.js";
import { application, inWorld, until } from "./world.test.fixture.js";

const endless = `
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
const module = device.createShaderModule({ code: \`
  @group(0) @binding(0) var<storage, read_write> v: array<u32>;
  @compute @workgroup_size(1) fn main() { loop { if (v[0] == 4711u) { break; } v[1] = v[1] + 1u; } }\` });
const pipeline = device.createComputePipeline({ label: "for ever", layout: "auto", compute: { module } });
const buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE });
const entries = [{ binding: 0, resource: { buffer } }];
const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
const encoder = device.createCommandEncoder();
const pass = encoder.beginComputePass({ label: "a pass" });
pass.setPipeline(pipeline);
pass.setBindGroup(0, group);
pass.dispatchWorkgroups(2);
pass.end();
device.queue.submit([encoder.finish()]);
const done = device.queue.onSubmittedWorkDone().then(() => "resolved", () => "rejected");
console.log("looping");
const { reason, message } = await device.lost;
console.log("lost " + reason + ": " + message);
console.log("settled " + (await done));
`;

test(
  "a shader that never ends costs its own slice its engine, with the dispatch named, and its neighbour nothing",
  { timeout: 300_000 },
  () =>
    inWorld(
      async (world) => {
        const guilty = await world.guest({ slices: [{ submissionMs: 2000 }] });
        const neighbour = await world.guest();
        const looping = application(guilty.created.directory, endless);
        await looping.line("looping");
        const [slice] = (await world.host.status()).slices.filter(({ guest }) => guest === guilty.created.id);
        const pid = slice?.engine.pid;
        // It shares the GPU with the loop, and then has it for itself.
        for (let round = 0; round < 3; round++) {
          const working = application(neighbour.created.directory, squares);
          assert.equal(await working.line("squares"), `${1023 * 1023 + 1}`);
          await working.end();
        }
        const loss = await looping.line("lost unknown");
        assert.match(loss, /submissionMs allows 2000 ms/);
        assert.match(
          loss,
          /dispatchWorkgroups\(2, 1, 1\), command 0 of compute pass "a pass", with pipeline "for ever"/,
        );
        await looping.line("settled");
        await looping.end();
        await until("the engine that hung has gone", async () => {
          const now = (await world.host.status()).slices.find(({ uuid }) => uuid === slice?.uuid);
          return now?.engine.pid !== pid;
        });
        const next = application(guilty.created.directory, squares);
        await next.line("squares");
        await next.end();
      },
      { expects: ["engine.failed", "engine.overrun"] },
    ),
);
