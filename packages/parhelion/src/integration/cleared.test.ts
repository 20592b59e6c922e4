/** Memory that one slice has written is zeros when another one gets it: the next owner's, and a neighbour's. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { startGuestKernel } from "parhelion-guest";
import { AdminClient } from "parhelion-host";
import { application, inWorld } from "./world.test.fixture.js";

const limit = { timeout: 300_000 };
const MiB = 2 ** 20;
const slice = { type: "custom", memory: { limitBytes: 96 * MiB, reservedBytes: 96 * MiB } } as const;

/** Writes a pattern into all but a little of the slice's memory, says `filled`, and holds it until it is lost. */
const fill = `
const pattern = new Uint8Array(4 * ${MiB}).fill(0xa5);
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
const held = [];
const { COPY_SRC, COPY_DST, STORAGE, TEXTURE } = { ...GPUBufferUsage, TEXTURE: GPUTextureUsage.COPY_DST };
for (let i = 0; i < 16; i++) {
  const buffer = device.createBuffer({ size: pattern.length, usage: COPY_DST | COPY_SRC | STORAGE });
  held.push(buffer);
  device.queue.writeBuffer(buffer, 0, pattern);
  await device.queue.onSubmittedWorkDone();
}
for (const format of ["rgba8unorm", "rgba16uint", "r32uint"]) {
  const bytes = format === "rgba16uint" ? 8 : 4;
  const texture = device.createTexture({ size: [512, 512], format, usage: TEXTURE });
  device.queue.writeTexture({ texture }, pattern, { bytesPerRow: 512 * bytes }, [512, 512]);
}
await device.queue.onSubmittedWorkDone();
device.queue.submit([]);
console.log("filled");
const timer = setInterval(() => {}, 1000);
await device.lost;
console.log("lost with " + held.length);
clearInterval(timer);
`;

/** Looks into fresh memory of every kind; prints \`zeros <bytes seen>\`, or what is not zero. */
const look = `
const device = await (await navigator.gpu.requestAdapter()).requestDevice();
device.addEventListener("uncapturederror", ({ error }) => console.log("error " + error.message));
let seen = 0;
const check = (what, range) => {
  const words = new BigUint64Array(range);
  for (let i = 0; i < words.length; i++)
    if (words[i] !== 0n) { console.log("dirty " + what + " at " + 8 * i + ": " + words[i].toString(16)); process.exit(3); }
  seen += range.byteLength;
};
const read = async (what, size, copy) => {
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  copy(encoder, staging);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  check(what, staging.getMappedRange());
  staging.destroy();
};
const size = 4 * ${MiB};
const held = [];
for (const usage of ["STORAGE", "UNIFORM", "VERTEX", "INDIRECT", "QUERY_RESOLVE", "COPY_DST"]) {
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage[usage] | GPUBufferUsage.COPY_SRC });
  held.push(buffer);
  await read(usage, size, (encoder, staging) => encoder.copyBufferToBuffer(buffer, 0, staging, 0, size));
}
const source = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC });
await read("copy source", size, (encoder, staging) => encoder.copyBufferToBuffer(source, 0, staging, 0, size));
source.destroy();
for (const usage of ["MAP_READ", "MAP_WRITE"]) {
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage[usage] });
  await buffer.mapAsync(GPUMapMode[usage === "MAP_READ" ? "READ" : "WRITE"]);
  check(usage, buffer.getMappedRange());
  buffer.destroy();
}
const made = device.createBuffer({ size, usage: GPUBufferUsage.COPY_SRC, mappedAtCreation: true });
check("mapped at creation", made.getMappedRange());
made.unmap();
await read("mapped at creation, then copied", size, (encoder, staging) => encoder.copyBufferToBuffer(made, 0, staging, 0, size));
made.destroy();
for (const [format, bytes] of [["rgba8unorm", 4], ["bgra8unorm", 4], ["r32uint", 4], ["r32float", 4], ["rgba16uint", 8], ["rgba32float", 16]]) {
  const usage = GPUTextureUsage.COPY_SRC | GPUTextureUsage.TEXTURE_BINDING;
  const texture = device.createTexture({ size: [256, 256, 2], mipLevelCount: 3, format, usage });
  for (let mipLevel = 0; mipLevel < 3; mipLevel++) {
    const side = 256 >> mipLevel;
    const bytesPerRow = Math.max(256, side * bytes);
    await read(format + " level " + mipLevel, bytesPerRow * side * 2, (encoder, buffer) =>
      encoder.copyTextureToBuffer({ texture, mipLevel }, { buffer, bytesPerRow, rowsPerImage: side }, [side, side, 2]));
  }
  texture.destroy();
}
const attachment = (sampleCount) => device.createTexture({
  size: [256, 256], sampleCount, format: "rgba8unorm", usage: GPUTextureUsage.RENDER_ATTACHMENT | (sampleCount === 1 ? GPUTextureUsage.COPY_SRC : 0),
});
const [samples, resolved] = [attachment(4), attachment(1)];
await read("resolved samples", 1024 * 256, (encoder, buffer) => {
  const view = samples.createView();
  encoder.beginRenderPass({ colorAttachments: [{ view, resolveTarget: resolved.createView(), loadOp: "load", storeOp: "store" }] }).end();
  encoder.copyTextureToBuffer({ texture: resolved }, { buffer, bytesPerRow: 1024 }, [256, 256]);
});
console.log("zeros " + seen);
`;

test(
  "fresh buffers and textures are zeros, beside a slice that has written all of its own and after it",
  limit,
  () =>
    inWorld(
      async (world) => {
        const admin = await AdminClient.connect(world.host.adminSocket, systemClock);
        const owner = await world.host.guestCreate({ name: "owner", slices: [slice] });
        const other = await world.host.guestCreate({ name: "other", slices: [slice] });
        const kernels = await Promise.all(
          [owner, other].map(({ vmbus, credential, directory }) =>
            startGuestKernel({ connect: { path: vmbus }, credential, directory }),
          ),
        );
        try {
          const writer = application(owner.directory, fill);
          await writer.line("filled");
          const beside = application(other.directory, look);
          await beside.line("zeros");
          await beside.end();
          const { slices } = await world.host.status();
          const [mine] = slices.filter(({ guest }) => guest === owner.id);
          assert.ok(mine !== undefined);
          assert.ok(mine.memory?.used ?? 0 >= 64 * MiB, "its pattern fills most of the slice");
          // To another owner: whoever holds the old one loses it.
          await admin.request("sliceMove", { uuid: mine.uuid, guest: other.id });
          await writer.end();
          const [second] = slices.filter(({ guest }) => guest === other.id);
          await admin.request("sliceRemove", { uuid: second?.uuid ?? "" });
          const moved = application(other.directory, look);
          await moved.line("zeros");
          await moved.end();
          // To a new slice in the place of one that was removed.
          const again = application(other.directory, fill);
          await again.line("filled");
          await admin.request("sliceRemove", { uuid: mine.uuid });
          await again.end();
          await admin.request("sliceCreate", { descriptor: slice, guest: other.id });
          const fresh = application(other.directory, look);
          await fresh.line("zeros");
          await fresh.end();
        } finally {
          for (const kernel of kernels) await kernel.stop();
          admin.close();
        }
      },
      { expects: [] },
    ),
);
