// A program that misbehaves once, in the guest that it is started in, and ends.
const { misbehave } = await import(`./programs/${process.argv[2]}.mjs`);
const adapter = await navigator.gpu.requestAdapter();
const device = await adapter?.requestDevice().catch(() => undefined);
if (device !== undefined) {
  device.addEventListener("uncapturederror", () => undefined);
  await misbehave(device).catch(() => undefined);
  device.destroy();
}
process.exit(0);
