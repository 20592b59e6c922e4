// Takes all the memory that it can have, and keeps it for a while: what is refused is its own.
export async function misbehave(device) {
  const held = [];
  device.pushErrorScope("out-of-memory");
  for (let i = 0; i < 64; i++) {
    held.push(
      device.createBuffer({ size: 64 << 20, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST }),
    );
  }
  await Promise.race([device.lost, device.popErrorScope()]);
  await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 2000))]);
  for (const buffer of held) buffer.destroy();
}
