import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, it } from "node:test";
import { encode } from "parhelion-protocol";
import { DEVICE_BYTES, STAGING_RING_BYTES } from "./accounting/sizes.js";
import { ChildEngine } from "./child.test.support.js";
import { type Script, Usage } from "./script.test.support.js";

const MiB = 2 ** 20;

/** The most memory that the process ever had resident, in bytes. */
function peakOf(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}

/** Passes 4 GiB of buffers through an engine, `abandon`ing each, and returns by how much its process grew. */
async function churn(script: Script, pid: number, abandon: (buffer: number) => void): Promise<number> {
  await script.done();
  const before = peakOf(pid);
  const piece = new Uint8Array(4096);
  for (let round = 0; round < 16; round++) {
    for (let i = 0; i < 4; i++) {
      const buffer = script.createBuffer(64 * MiB, Usage.COPY_DST | Usage.COPY_SRC);
      // Dawn clears what is written in part: all of the buffer becomes resident.
      script.write(buffer, 0, piece);
      abandon(buffer);
    }
    await script.done();
  }
  return peakOf(pid) - before;
}

/** Two thresholds' worth may be waiting at any time, and drivers keep some. */
function assertBounded(grown: number): void {
  assert.ok(grown >= 64 * MiB, `the buffers were expected to take memory, ${grown} bytes were`);
  assert.ok(grown < 1024 * MiB, `${Math.round(grown / MiB)} MiB were resident`);
}

describe("the memory of buffers comes back in time for the next ones", { timeout: 300_000 }, () => {
  let engine: ChildEngine;
  beforeEach(async () => {
    engine = await ChildEngine.start("software");
  });
  afterEach(() => engine.end());

  it("when the application drops them without destroying them", async () => {
    const script = await engine.open(1);
    assertBounded(await churn(script, engine.child.pid!, (buffer) => script.release(buffer)));
    // Counted until the GPU has passed what was recorded when they were collected.
    const bounded = 512 * MiB + DEVICE_BYTES + STAGING_RING_BYTES;
    let { residentBytes, objects } = await engine.statistics();
    for (let asked = 0; asked < 10_000 && residentBytes > bounded; asked++)
      ({ residentBytes, objects } = await engine.statistics());
    assert.ok(residentBytes <= bounded, `${residentBytes} bytes are accounted for`);
    assert.equal(objects, 2);
    script.port.close();
  });

  it("when it destroys them and never submits", async () => {
    const script = await engine.open(1);
    assertBounded(
      await churn(script, engine.child.pid!, (buffer) => encode.bufferDestroy(script.stream, buffer)),
    );
    // Of the device itself, and of the staging of its writes.
    assert.equal((await engine.statistics()).residentBytes, DEVICE_BYTES + STAGING_RING_BYTES);
    script.port.close();
  });
});
