/** The driver of docs/vfio-drivers.md, and what becomes of its device. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
// example
import { type Bus, Device, type Driver, System } from "parhelion-core";
import { AttachedDevice, bytesMemory, EventCounter, IrqSetFlag, Vfio, VfioDevice } from "./index.js";

const bus: Bus = { name: "toy", match: () => true };

/** Adds up as many bytes of its user's memory as are written to its only register, and triggers when it has. */
function adder(vfio: Vfio): Driver<Device, VfioDevice> {
  return {
    name: "adder",
    bus,
    async probe(parent) {
      let sum = 0;
      const device = new VfioDevice(vfio, {
        parent,
        ops: ({ dma, irqs }) => ({
          regions: () => [{ size: 4, access: "read-write" }],
          irqs: () => [{ count: 1 }],
          read: (_region, offset, length) => Uint8Array.of(sum, 0, 0, 0).subarray(offset, offset + length),
          async write(_region, _offset, [count = 0]) {
            const bytes = await dma.read(0n, count);
            sum = bytes.reduce((total, byte) => total + byte, 0);
            irqs.trigger(0);
          },
        }),
      });
      await vfio.register(device, { iommu: "emulated" }); // users may come from here on
      return device;
    },
    async remove(_parent, device) {
      await vfio.unregister(device); // no user any more, and nobody was waited for
      device.put();
    },
  };
}

async function example(): Promise<void> {
  const system = new System();
  system.registerBus(bus);
  const vfio = await Vfio.create(system, { revokeMs: 100 });
  await system.registerDriver(adder(vfio) as Driver);
  const parent = new Device(system.runtime, { name: "toy0", bus });
  await system.addDevice(parent);

  const user = await AttachedDevice.open(system, "vfio0");
  await user.map(0n, 4096n, bytesMemory(new Uint8Array(4096).fill(3)));
  const done = new EventCounter(system.runtime, "done");
  const flags = IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER;
  await user.call("SET_IRQS", { argsz: 24, flags, index: 0, start: 0, count: 1, data: [done] });
  await user.call("WRITE", { offset: 0n, bytes: Uint8Array.of(5) });
  await done.wait();
  console.log((await user.call("READ", { offset: 0n, length: 1 }))[0]);

  await system.removeDevice(parent); // the user stays, and is cut off after 100 ms
  await user.call("GET_INFO", { argsz: 24 }).catch((error: Error) => console.log(error.message));
  await user.close();
  parent.put();
}
// end of example

const output = ["15", "ENODEV: vfio0 was taken from its user"];

test("the example of docs/vfio-drivers.md does what it says", async (t) => {
  const printed: string[] = [];
  t.mock.method(console, "log", (line: unknown) => printed.push(String(line)));
  await example();
  assert.deepEqual(printed, output);
});

test("docs/vfio-drivers.md shows the example and its output", async () => {
  const page = await readFile(new URL("../../../docs/vfio-drivers.md", import.meta.url), "utf8");
  const source = await readFile(new URL("../src/example.test.ts", import.meta.url), "utf8");
  const [, code] = /\/\/ example\n([\s\S]*?)\/\/ end of example/.exec(source) ?? [];
  assert.ok(code !== undefined);
  // The longer module name wraps differently there.
  const bare = (text: string) => text.replace(/\s+/g, "").replaceAll(",}", "}");
  assert.ok(bare(page).includes(bare(code.replace("./index.js", "parhelion-vfio"))), "copy the example");
  assert.ok(page.includes(output.join("\n")), "copy the output");
});
