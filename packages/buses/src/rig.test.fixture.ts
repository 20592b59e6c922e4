/** What the tests of this package stand on: two ends of a real socket, a system with both buses, a log to look at. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import { type Bus, createRuntime, type LogRecord, type Runtime, System } from "parhelion-core";
import {
  createPciBus,
  createVmbus,
  type PciDevice,
  type PciDriver,
  VmbusConnection,
  type VmbusDevice,
  type VmbusDriver,
  VmbusHost,
} from "./index.js";

export interface Rig {
  readonly runtime: Runtime;
  readonly system: System;
  readonly vmbus: Bus<VmbusDevice, VmbusDriver>;
  readonly pci: Bus<PciDevice, PciDriver>;
  readonly log: LogRecord[];
}

export function createRig(): Rig {
  const log: LogRecord[] = [];
  const runtime = createRuntime({ patienceMs: 5000, log: (record) => log.push(record) });
  const system = new System(runtime);
  const vmbus = createVmbus();
  const pci = createPciBus();
  system.registerBus(vmbus as Bus);
  system.registerBus(pci as Bus);
  return { runtime, system, vmbus, pci, log };
}

/** Both ends of one Unix socket, closed after the test. */
export async function socketPair(t: TestContext): Promise<[net.Socket, net.Socket]> {
  const directory = await mkdtemp(path.join(tmpdir(), "buses-"));
  const server = net.createServer().listen(path.join(directory, "s"));
  await once(server, "listening");
  const near = net.connect(path.join(directory, "s"));
  const [far] = (await once(server, "connection")) as [net.Socket];
  server.close();
  await rm(directory, { recursive: true });
  for (const socket of [near, far]) socket.on("error", () => {});
  t.after(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
}

export interface Linked extends Rig {
  readonly guest: VmbusConnection;
  readonly host: VmbusHost;
}

/** A guest and a host that have made contact. @param offerFirst makes offers before the guest asks */
export async function linked(
  t: TestContext,
  offerFirst?: (host: VmbusHost) => void,
  rig = createRig(),
): Promise<Linked> {
  const [near, far] = await socketPair(t);
  const accepting = VmbusHost.accept(far, { runtime: rig.runtime, authorize: () => 0b110n }).then((host) => {
    offerFirst?.(host);
    return host;
  });
  const connecting = VmbusConnection.connect(rig.system, rig.vmbus, near, {
    name: "vmbus-root",
    credential: "secret",
    features: 0b011n,
  });
  const [host, guest] = await Promise.all([accepting, connecting]);
  t.after(() => guest.close());
  return { ...rig, guest, host };
}

/** Waits until `condition` holds; fails after a great many turns of the event loop instead of hanging. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  assert.fail(`never: ${what}`);
}
