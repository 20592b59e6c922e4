/**
 * A guest kernel without sockets and files: the machine with its drivers, nodes and processes, a small host at the other end
 * of an in-process pipe, and applications that come to its nodes. `machineRig(runtime)` starts nothing. In tasks of the runtime:
 * `start(offers)` is the guest's start; then `host.offerVgpu(n)` and the channels' `rescind` are the host's moves (see
 * host.test.fixture), `shelf.visit("dxg0")` with `hello`, `call` and `leave` an application's, `pipe.cut()` a broken
 * connection; with `host: "comes back"` another one is there when the guest dials again, which makes the same offers, unless
 * `refuse` says no. `stop()` takes all down; when the applications have left too, no task is left and `queues.open` is empty.
 */
import { createVmbusPipe, type VmbusCarrier, VmbusHost, type VmbusPipe } from "parhelion-buses";
import { Completion, noDeadline, type Runtime } from "parhelion-core";
import { vmbusFeatures } from "parhelion-protocol";
import type { Queues } from "./dxg/queues.js";
import { TestHost } from "./host.test.fixture.js";
import { GuestMachine } from "./machine.js";
import { InMemoryShelf } from "./node-server/shelf.test.fixture.js";

export interface MachineRig {
  readonly runtime: Runtime;
  readonly machine: GuestMachine;
  readonly shelf: InMemoryShelf;
  /** The latest. */
  readonly pipe: VmbusPipe;
  /** Every host that the guest has met, in order. */
  readonly hosts: readonly TestHost[];
  /** Decides on each contact: throws to refuse it. */
  refuse: () => void;
  readonly queues: Queues & { readonly doors: ReadonlySet<string> };
  /** @param offers the host's first offers, made as soon as the contact is. @throws what the machine's start throws */
  start(offers?: (host: TestHost) => void): Promise<TestHost>;
  stop(): Promise<void>;
}

export interface MachineRigOptions {
  /** Default: it goes for good. */
  readonly host?: "comes back";
}

export function machineRig(runtime: Runtime, options: MachineRigOptions = {}): MachineRig {
  const pipes = [createVmbusPipe(runtime, "pipe")];
  const hosts: TestHost[] = [];
  const latest = (): VmbusPipe => pipes.at(-1) as VmbusPipe;
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
  let offersOf: (host: TestHost) => void = () => {};
  const authorize = (): bigint => {
    rig.refuse();
    return vmbusFeatures;
  };
  const accept = async (pipe: VmbusPipe): Promise<TestHost> => {
    const host = new TestHost(runtime, await VmbusHost.accept(pipe.host, { runtime, authorize }));
    hosts.push(host);
    offersOf(host);
    return host;
  };
  const redial = async (): Promise<VmbusCarrier> => {
    const pipe = createVmbusPipe(runtime, `pipe ${pipes.length}`);
    pipes.push(pipe);
    runtime.scheduler.spawn("host accepts again", async () => {
      try {
        await accept(pipe);
      } catch (error) {
        runtime.log("debug", "test.not-accepted", { error });
      }
    });
    return pipe.guest;
  };
  const machine = new GuestMachine({
    runtime,
    name: "guest",
    credential: "",
    directory: "",
    shelf,
    queues,
    connect: async () => latest().guest,
    redial: options.host === "comes back" ? redial : null,
  });
  const met = new Completion<TestHost>(runtime, "contact of the test host");
  const rig: MachineRig = {
    runtime,
    machine,
    shelf,
    get pipe() {
      return latest();
    },
    hosts,
    refuse: () => {},
    queues,
    async start(offers = () => {}) {
      runtime.scheduler.spawn("host accepts", async () => {
        try {
          offersOf = offers;
          met.completeAll(await accept(latest()));
        } catch (error) {
          met.fail(error);
        }
      });
      await machine.start();
      return met.wait({ deadline: noDeadline });
    },
    stop: () => machine.stop(),
  };
  return rig;
}
