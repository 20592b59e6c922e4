/** The example of the package's README: the lines between the markers stand there too. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

// example
import { type Bus, Device, DeviceNode, type Driver, miscClass, System, serializeUevent } from "./index.js";

class GpuDevice extends Device {
  readonly megabytes = 256;
}

const bus: Bus<GpuDevice, Driver> = { name: "toybus", match: () => true };

function gpuDriver(system: System): Driver<GpuDevice, { served: number }> {
  return {
    name: "toygpu",
    bus,
    async probe(device) {
      const state = { served: 0 };
      const node = new DeviceNode<string, string>(system.runtime, {
        name: device.name,
        open: (file) => ({ request: (text) => `${file.name} asked ${text}, ${++state.served} so far` }),
      });
      const nodeDevice = new Device(system.runtime, {
        name: device.name,
        parent: device,
        class: miscClass,
        node,
      });
      // Last: from here on it can be opened.
      await system.addDevice(nodeDevice);
      device.devres.addAction(() => system.unregisterDevice(nodeDevice));
      return state;
    },
    remove(device, state) {
      console.log(`${device.name} served ${state.served}`);
    },
  };
}

export async function example(): Promise<void> {
  const system = new System();
  system.registerBus(bus);
  system.registerClass(miscClass);
  system.onUevent((event) => console.log(serializeUevent(event).split("\0")[0]));
  await system.registerDriver(gpuDriver(system));

  const gpu = new GpuDevice(system.runtime, { name: "gpu0", bus });
  await system.addDevice(gpu);
  const file = await system.nodes.get("gpu0")?.open();
  console.log(await file?.request("hello"));
  await system.unregisterDevice(gpu);
  await file?.request("hello again").catch((error: Error) => console.log(error.message));
  await file?.close();
}
// end of example

const output = [
  "add@/bus/toybus/drivers/toygpu",
  "add@/devices/gpu0",
  "add@/devices/gpu0/misc/gpu0",
  "bind@/devices/gpu0",
  "gpu0#1 asked hello, 1 so far",
  "gpu0 served 1",
  "remove@/devices/gpu0/misc/gpu0",
  "unbind@/devices/gpu0",
  "remove@/devices/gpu0",
  "ENODEV: node gpu0: its device is not there",
];

test("the example of the README does what the README says", async (t) => {
  const printed: unknown[] = [];
  t.mock.method(console, "log", (line: unknown) => printed.push(line));
  await example();
  assert.deepEqual(printed, output);
});

test("the README shows the example and its output", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const source = await readFile(new URL("../src/readme.test.ts", import.meta.url), "utf8");
  const [, code] = /\/\/ example\n([\s\S]*?)\/\/ end of example/.exec(source) ?? [];
  assert.ok(code !== undefined);
  // The longer module name wraps differently there.
  const bare = (text: string) => text.replace(/\s+/g, "").replaceAll(",}", "}");
  assert.ok(bare(readme).includes(bare(code.replace("./index.js", "parhelion-core"))), "copy the example");
  assert.ok(readme.includes(output.join("\n")), "copy the output");
});
