/** An application that is faster than its engine waits for it; nobody collects what it wrote. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inWorld, Program } from "./world.test.fixture.js";

const MiB = 1024 * 1024;

/**
 * Peak resident memory of any one process, shared mappings included: Node itself, Dawn with its software GPU, the queue's
 * rings (at most 48 MiB), the buffer that is written and what Dawn stages until it is copied. Seen: 71 to 156 MiB.
 */
const limit = 320 * MiB;

/** Writes 2 GiB in one synchronous loop, then prints \`written <checksum>\` of the last write as read back, and its own peak. */
const flood = `
import { readFileSync } from "node:fs";
const size = 16 * 1024 * 1024;
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter.requestDevice();
device.addEventListener("uncapturederror", ({ error }) => console.log("error " + error.message));
const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC });
const data = new Uint32Array(size / 4);
for (let i = 0; i < 128; i++) {
  data.fill(i);
  device.queue.writeBuffer(buffer, 0, data);
}
const target = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
const encoder = device.createCommandEncoder();
encoder.copyBufferToBuffer(buffer, 0, target, 0, size);
device.queue.submit([encoder.finish()]);
await target.mapAsync(GPUMapMode.READ);
const seen = new Uint32Array(target.getMappedRange());
console.log("written " + (seen.every((value) => value === 127) ? "the last" : "something else"));
console.log("peak " + readFileSync("/proc/self/status", "utf8").match(/VmHWM:\\s+(\\d+)/)[1]);
setInterval(() => {}, 1000); // stays until it is killed, so that its engine can be looked at with the device alive
`;

function peakOf(pid: number): number {
  const found = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(found?.[1]) * 1024;
}

for (const carrier of ["shared-memory", "stream"]) {
  test(`2 GiB of writes in a loop leave every process small, over ${carrier}`, { timeout: 300_000 }, (t) =>
    inWorld(async (world) => {
      const { created } = await world.guest();
      const program = new Program(flood, {
        flags: ["--import", "parhelion-client/register"],
        environment: { PARHELION_DIR: created.directory, PARHELION_CARRIER: carrier },
      });
      assert.equal(await program.line("written"), "the last");
      const application = Number(await program.line("peak")) * 1024;
      const engine = peakOf((await world.engine()).engine.pid as number);
      const kernelAndHost = peakOf(process.pid);
      program.kill();
      await program.ended();
      const peaks = { application, engine, kernelAndHost };
      t.diagnostic(
        Object.entries(peaks)
          .map(([who, bytes]) => `${who} ${Math.round(bytes / MiB)} MiB`)
          .join(", "),
      );
      for (const [who, bytes] of Object.entries(peaks)) {
        assert.ok(bytes < limit, `${who} used ${Math.round(bytes / MiB)} MiB, more than ${limit / MiB}`);
      }
    }),
  );
}
