/**
 * A guest kernel without sockets and files: the machine with its drivers, nodes and processes, a small host at the other end
 * of an in-process pipe, and applications that come to its nodes. `machineRig(runtime)` starts nothing. In tasks of the runtime:
 * `start(offers)` is the guest's start; then `host.offerVgpu(n)` and the channels' `rescind` are the host's moves (see
 * host.test.fixture), `shelf.visit("dxg0")` with `hello`, `call` and `leave` an application's, `pipe.cut()` a broken
 * connection. `stop()` takes all down; when the applications have left too, no task is left and `queues.open` is empty.
 */
import { createVmbusPipe, VmbusHost, type VmbusPipe } from "parhelion-buses";
import { Completion, noDeadline, type Runtime } from "parhelion-core";
import type { Queues } from "./dxg/queues.js";
import { TestHost } from "./host.test.fixture.js";
import { GuestMachine } from "./machine.js";
import { InMemoryShelf } from "./node-server/shelf.test.fixture.js";

export interface MachineRig {
  readonly runtime: Runtime;
  readonly machine: GuestMachine;
  readonly shelf: InMemoryShelf;
  readonly pipe: VmbusPipe;
  readonly queues: Queues & { readonly doors: ReadonlySet<string> };
  /** @param offers the host's first offers, made as soon as the contact is. @throws what the machine's start throws */
  start(offers?: (host: TestHost) => void): Promise<TestHost>;
  stop(): Promise<void>;
}

export function machineRig(runtime: Runtime): MachineRig {
  const pipe = createVmbusPipe(runtime, "pipe");
  const shelf = new InMemoryShelf(runtime);
  const doors = new Set<string>();
  const queues: MachineRig["queues"] = {
    doors,
    async open() {
      const endpoint = `q${runtime.ids.next("queue door")}`;
      doors.add(endpoint);
      return { endpoint, close: () => void doors.delete(endpoint) };
    },
  };
  const machine = new GuestMachine({
    runtime,
    name: "guest",
    credential: "",
    directory: "",
    shelf,
    queues,
    connect: async () => pipe.guest,
  });
  const met = new Completion<TestHost>(runtime, "contact of the test host");
  return {
    runtime,
    machine,
    shelf,
    pipe,
    queues,
    async start(offers = () => {}) {
      runtime.scheduler.spawn("host accepts", async () => {
        try {
          const host = new TestHost(
            runtime,
            await VmbusHost.accept(pipe.host, { runtime, authorize: () => 0n }),
          );
          offers(host);
          met.completeAll(host);
        } catch (error) {
          met.fail(error);
        }
      });
      await machine.start();
      return met.wait({ deadline: noDeadline });
    },
    stop: () => machine.stop(),
  };
}
