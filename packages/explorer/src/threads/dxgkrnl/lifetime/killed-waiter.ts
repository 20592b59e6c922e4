/** D3.5: who waits for the host is killed while the answer is being copied to its stack. */
import { Completion, SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

type Killed = "returns at once" | "takes its packet off the list first" | "waits for a copy that has begun";

interface Packet {
  listed: "yes" | "no";
}

function program(killed: Killed): Program {
  return define({
    name: `killed waiter ${killed}`,
    setup(world) {
      const lock = new SpinLock(world.runtime, "packet list lock");
      const packet = world.track<Packet>("packet", { listed: "yes" });
      const buffer = world.allocate("buffer on the stack", { answer: 0 });
      const copied = new Completion(world.runtime, "answer copied");
      const takeOff = () =>
        lock.withLock(() => {
          const mine = packet.listed === "yes";
          packet.listed = "no";
          return mine ? "taken off" : "somebody has it";
        });
      world.interrupt("completion from the host", async () => {
        if ((await takeOff()) !== "taken off") return;
        await world.point("copy the answer");
        buffer.answer = 1;
        copied.completeAll();
      });
      world.task("waiter, killed", async () => {
        await world.point("SIGKILL");
        if (killed !== "returns at once") {
          const packetIs = await takeOff();
          if (killed === "waits for a copy that has begun" && packetIs === "somebody has it")
            await copied.wait();
        }
        world.free(buffer);
      });
    },
  });
}

export const killedWaiter: Dispute = {
  id: "D3.5",
  thread: "dxgkrnl",
  title: "A waiter is killed while the answer is copied into its buffer",
  argued:
    "Nobody argued about it: waits are killable, and answers are copied outside the lock of the packet list.",
  found:
    "The interrupt writes into a stack frame that is gone. Taking the packet off the list before returning is " +
    "not enough, it may have been taken off already and be just under copy; the killed waiter has to wait for " +
    "that, which is short.",
  variants: [
    {
      name: "as posted: returns when killed",
      program: program("returns at once"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "takes its packet off the list first",
      program: program("takes its packet off the list first"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "and waits for a copy that has begun",
      program: program("waits for a copy that has begun"),
      expected: "safe",
    },
  ],
};
