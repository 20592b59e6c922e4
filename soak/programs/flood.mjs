// Submits as fast as it can, and reads nothing: everybody else goes on.
export async function misbehave(device) {
  const until = Date.now() + 3000;
  const buffer = device.createBuffer({ size: 1 << 20, usage: GPUBufferUsage.COPY_DST });
  const data = new Uint8Array(1 << 20);
  while (Date.now() < until) {
    for (let i = 0; i < 64; i++) {
      device.queue.writeBuffer(buffer, 0, data);
      device.queue.submit([]);
    }
    await Promise.race([device.lost, new Promise((resolve) => setTimeout(resolve, 0))]);
  }
}
