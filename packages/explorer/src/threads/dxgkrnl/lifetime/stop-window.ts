/** D3.3, D3.8: what is sent to the host while the adapter is being stopped. */
import { RwLock } from "parhelion-core";
import type { Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

interface Adapter {
  readonly lock: RwLock;
  readonly state: { is: "active" | "stopped" };
  /** Where packets are taken from while messages are sent; goes with the channel. */
  readonly cache: { packets: number };
}

function createAdapter(world: World): Adapter {
  return {
    lock: new RwLock(world.runtime, "core_lock"),
    state: world.track("adapter", { is: "active" }),
    cache: world.allocate("packet cache", { packets: 1 }),
  };
}

async function send(world: World, { cache }: Adapter, what: string): Promise<void> {
  await world.point(what);
  world.expect(cache.packets > 0, "there are no packets");
}

async function request(world: World, adapter: Adapter): Promise<void> {
  const guard = await adapter.lock.read();
  if (adapter.state.is === "active") await send(world, adapter, "send");
  guard.release();
}

async function stop(
  world: World,
  adapter: Adapter,
  stoppedWhere: "inside the lock" | "after it",
): Promise<void> {
  const guard = await adapter.lock.write();
  await world.point("close adapter");
  if (stoppedWhere === "inside the lock") adapter.state.is = "stopped";
  guard.release();
  await world.point("destroy the channel");
  world.free(adapter.cache);
  if (stoppedWhere === "after it") adapter.state.is = "stopped";
}

function program(stoppedWhere: "inside the lock" | "after it"): Program {
  return define({
    name: `stopped ${stoppedWhere}`,
    setup(world) {
      const adapter = createAdapter(world);
      world.task("stop", () => stop(world, adapter, stoppedWhere));
      world.task("request", () => request(world, adapter));
    },
  });
}

export const stopWindow: Dispute = {
  id: "D3.3",
  thread: "dxgkrnl",
  title: "The state that says stopped is set after the lock was given back",
  argued:
    "Nobody argued about it; the reviewers' point was in general that lifetimes are handled for you when state " +
    "belongs to a device.",
  found:
    "Between the unlock and the new state a request takes the lock, finds the adapter active and sends on a " +
    "channel that is being destroyed. Set inside the lock, no request gets that far.",
  variants: [
    {
      name: "as posted: state set outside the lock",
      program: program("after it"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "state set inside the lock", program: program("inside the lock"), expected: "safe" },
  ],
};

function flushProgram(lock: "without core_lock" | "with core_lock held for reading"): Program {
  return define({
    name: `flush at the end of a process, ${lock}`,
    setup(world) {
      const adapter = createAdapter(world);
      world.task("stop", () => stop(world, adapter, "inside the lock"));
      world.task("last close", async () => {
        if (lock === "with core_lock held for reading") return request(world, adapter);
        const { is } = await adapter.lock.withRead(() => ({ is: adapter.state.is }));
        if (is === "active") await send(world, adapter, "flush");
      });
    },
  });
}

export const flushWithoutLock: Dispute = {
  id: "D3.8",
  thread: "dxgkrnl",
  title: "The flush at the end of a process is sent without the adapter's lock",
  argued: "Nobody argued about it: one of several messages is sent by a path that does not take core_lock.",
  found:
    "That the adapter was active before says nothing about the moment of sending; the stop comes in between. " +
    "With the lock held from the look to the last use of the channel, every order holds.",
  variants: [
    {
      name: "as posted: flush without core_lock",
      program: flushProgram("without core_lock"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "flush with core_lock held for reading",
      program: flushProgram("with core_lock held for reading"),
      expected: "safe",
    },
  ],
};
