/** D3.11, D3.14: the host signals an event that a waiter or a dying process is about to take away. */
import { SpinLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

type Removal =
  | "looked at without the lock"
  | "under the lock, signalled after it"
  | "under the lock, signalled under it";

function stackEvent(removal: Removal): Program {
  return define({
    name: `event on the waiter's stack, removed ${removal}`,
    setup(world) {
      const lock = new SpinLock(world.runtime, "host_event_list lock");
      const event = world.allocate("event", { listed: "yes", signals: 0 });
      const list = world.track("host_event_list", { entries: 1 });
      const unlink = () => {
        list.entries -= 1;
        world.expect(list.entries === 0, "the event is taken off the list twice");
        event.listed = "no";
      };
      /** @returns whether it was on the list */
      const removeWith = async (more: () => void): Promise<boolean> => {
        if (removal === "looked at without the lock") {
          const { listed } = event;
          await world.point("between looking and taking");
          if (listed !== "yes") return false;
          await lock.withLock(unlink);
          more();
          return true;
        }
        return lock.withLock(() => {
          if (list.entries === 0) return false;
          unlink();
          more();
          return true;
        });
      };
      world.interrupt("signal from the host", async () => {
        const signal = () => {
          event.signals += 1;
        };
        if (removal !== "under the lock, signalled after it") {
          await removeWith(signal);
          return;
        }
        if (!(await removeWith(() => {}))) return;
        await world.point("signal");
        signal();
      });
      world.task("waiter, killed", async () => {
        await removeWith(() => {});
        world.free(event);
      });
    },
  });
}

export const stackEventRemoval: Dispute = {
  id: "D3.11",
  thread: "dxgkrnl",
  title: "Who takes the waiter's event off the list: the signal or the kill?",
  argued:
    "Nobody argued about it; the event lives on the waiter's stack, so there must be exactly one remover, and " +
    "he the last user.",
  found:
    "Looked at without the lock, both take it off, the signal from a frame that is gone. Removed under the " +
    "lock but signalled after it, the waiter returns and the signal goes into a dead stack frame. As the " +
    "driver has it, found, removed and signalled under one spin lock, every order holds.",
  variants: [
    {
      name: "looked at without the lock",
      program: stackEvent("looked at without the lock"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "removed under the lock, signalled after it",
      program: stackEvent("under the lock, signalled after it"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    {
      name: "as posted: removed and signalled under the lock",
      program: stackEvent("under the lock, signalled under it"),
      expected: "safe",
    },
  ],
};

interface Listed {
  readonly id: number;
  readonly owner: string;
}

function lateSignal(ids: "lowest free" | "never used again"): Program {
  return define({
    name: `signal for a process that died, ids ${ids}`,
    setup(world) {
      const lock = new SpinLock(world.runtime, "host_event_list lock");
      const list = world.track("host_event_list", {
        last: 2,
        events: [{ id: 2, owner: "P" }] as readonly Listed[],
      });
      const wrong = world.track("signals", { wrong: 0 });
      world.task("process P dies", () =>
        lock.withLock(() => {
          list.events = list.events.filter(({ owner }) => owner !== "P");
        }),
      );
      world.task("process Q waits", () =>
        lock.withLock(() => {
          list.last += 1;
          const isFree = (id: number) => list.events.every((event) => event.id !== id);
          const id = ids === "lowest free" && isFree(2) ? 2 : list.last;
          list.events = [...list.events, { id, owner: "Q" }];
        }),
      );
      world.interrupt("host signals P's event 2", () =>
        lock.withLock(() => {
          const event = list.events.find(({ id }) => id === 2);
          if (event !== undefined && event.owner !== "P") wrong.wrong += 1;
        }),
      );
      return wrong;
    },
    async after({ wrong }, world) {
      world.expect(wrong === 0, "Q is woken by a signal that was meant for P");
    },
  });
}

export const signalAfterExit: Dispute = {
  id: "D3.14",
  thread: "dxgkrnl",
  title: "A signal from the host for an event whose process has died",
  argued:
    "Nobody argued about it; an id that is not known has to be ignored, which is right only as long as none " +
    "comes again.",
  found:
    "With ids that are given out again the signal wakes another process. With a counter that never comes back, " +
    "as the driver has, a late signal finds nothing in every order.",
  variants: [
    { name: "lowest free id", program: lateSignal("lowest free"), expected: "unsafe", finds: "expectation" },
    { name: "as posted: a counter", program: lateSignal("never used again"), expected: "safe" },
  ],
};
