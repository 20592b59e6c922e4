/** A small device tree on a socket, and who asks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, createRuntime, Device, type Driver, miscClass, System } from "parhelion-core";
import { SYS_SOCKET, SysClient, SysServer } from "parhelion-protocol";

export const bus = (name: string): Bus => ({ name, match: () => true });

/**
 * Two buses with a device "port" each; "port0" and "port1" on the first, which alone has a driver: "serial". It is bound to the first
 * bus's devices but port1, whose probe hangs.
 */
export async function inToyland(
  body: (client: SysClient, system: System, server: SysServer) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ph-find-"));
  const system = new System(createRuntime({ patienceMs: 100 }));
  const [wide, narrow] = [bus("wide"), bus("narrow")];
  for (const each of [wide, narrow]) system.registerBus(each);
  system.registerClass(miscClass);
  const serial: Driver = {
    name: "serial",
    bus: wide,
    probe: ({ name }) => (name === "port1" ? new Promise<void>(() => {}) : undefined),
  };
  const root = new Device(system.runtime, { name: "root" });
  await system.addDevice(root);
  await system.registerDriver(serial);
  const add = (name: string) =>
    system.addDevice(new Device(system.runtime, { name, parent: root, bus: wide }));
  await add("port");
  await add("port0");
  await system.sysfs.write("/sys/bus/wide/drivers_autoprobe", "0");
  await add("port1");
  await system.addDevice(new Device(system.runtime, { name: "port", bus: narrow }));
  const server = await SysServer.listen({
    path: join(directory, SYS_SOCKET),
    source: { name: "toyland", tree: system.sysfs, onUevent: (listener) => system.onUevent(listener) },
    clock: system.runtime.clock,
  });
  const client = await SysClient.connect(join(directory, SYS_SOCKET));
  try {
    await body(client, system, server);
  } finally {
    client.close();
    await server.close("the test is over");
    await rm(directory, { recursive: true });
  }
}
