/// <reference types="@webgpu/types" />
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { promisify } from "node:util";
import koffi from "koffi";
import { type KoffiModule, openSharedMemory } from "parhelion-protocol";
import { create } from "webgpu";
import { DawnSource } from "./testing/dawn-source.test.fixture.js";
import { Guest } from "./testing/guest.test.fixture.js";
import { eventually } from "./testing/world.test.fixture.js";

const dawn = create(["backend=null"]);
const register = new URL("./register.js", import.meta.url).href;

/** Runs a program in a guest, in a process of its own that has to end by itself. @param records that it writes at least */
async function run(
  carrier: string,
  program: string,
  records = 1,
): Promise<{ stdout: string; stderr: string; replayed: number }> {
  const link = await new DawnSource(dawn).openAdapter(() => true);
  assert.ok(link !== null);
  const guest = new Guest(dawn, link.description, openSharedMemory(koffi as unknown as KoffiModule));
  await guest.start();
  try {
    const env = { ...process.env, PARHELION_DIR: guest.directory, PARHELION_CARRIER: carrier };
    const args = ["--import", register, "--input-type=module", "--eval", program];
    const output = await promisify(execFile)(process.execPath, args, { env, timeout: 300_000 });
    // What a process that is gone had written may still be on its way.
    const replayed = () => guest.engines[0]?.replayed ?? 0;
    await eventually(`${records} records of the program`, () => replayed() >= records);
    return { ...output, replayed: replayed() };
  } finally {
    await guest.stop();
  }
}

const open = `
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter.requestDevice();
`;

after(() => assert.ok(dawn));

for (const carrier of ["stream", "shared-memory"]) {
  test(`a program over ${carrier} lives while a promise waits, and ends by itself when none does`, async () => {
    const { stdout, stderr } = await run(
      carrier,
      `${open}
      device.lost.then(() => console.log("lost"));
      const buffer = device.createBuffer({ size: 8, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      device.queue.writeBuffer(buffer, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
      buffer.mapAsync(GPUMapMode.READ).then(() => console.log(new Uint8Array(buffer.getMappedRange()).join()));`,
    );
    assert.equal(stdout, "1,2,3,4,5,6,7,8\n");
    assert.equal(stderr, "");
  });
}

test("an error that nobody listens for is one message on stderr", async () => {
  const { stderr } = await run(
    "stream",
    `const write = process.stderr.write.bind(process.stderr);
    const said = new Promise((resolve) => {
      process.stderr.write = (...words) => { setTimeout(resolve, 50); return write(...words); };
    });
    ${open}
    device.createBuffer({ size: 8, usage: 0, label: "useless" });
    const awake = setInterval(() => {}, 1000);
    await said;
    clearInterval(awake);`,
  );
  assert.equal(stderr.match(/Uncaptured WebGPU/g)?.length, 1);
  assert.match(stderr, /^Uncaptured WebGPU validation error: .*useless/s);
});

test("a program that only encodes ends, and what it submitted has arrived", async () => {
  const records = 3;
  const { replayed } = await run(
    "stream",
    `${open}
    const encoder = device.createCommandEncoder();
    device.queue.submit([encoder.finish()]);`,
    records,
  );
  assert.ok(replayed >= records, "encoder, finish and submit");
});
