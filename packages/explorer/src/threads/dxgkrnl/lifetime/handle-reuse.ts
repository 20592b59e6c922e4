/** D3.9, D3.10: a handle value is given out again while somebody still has it. */
import { isKernelError } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";
import { HandleTable, HostObjects } from "../parts/handle-table.js";

function reuse(first: "the host is told" | "the guest unlinks"): Program {
  return define({
    name: `destroying a handle, first ${first}`,
    setup(world) {
      const host = new HostObjects(world);
      const table = new HandleTable<string>(world);
      const live = world.atomic("objects that the guest knows", 1);
      world.task("thread 1 destroys", async () => {
        if (first === "the guest unlinks") table.remove(1);
        await host.destroy(1);
        await live.update((count) => count - 1);
        if (first === "the host is told") table.remove(1);
      });
      world.task("thread 2 creates", async () => {
        const handle = await host.create();
        try {
          table.assign(handle, "new");
          await live.update((count) => count + 1);
        } catch (error) {
          // The request fails. The host was not asked to take it back: for it, it has succeeded.
          if (!isKernelError(error, "EINVAL")) throw error;
        }
      });
      return { host, table, live };
    },
    async before({ host, table }) {
      table.assign(await host.create(), "old");
    },
    async after({ host, live }, world) {
      const [has, knows] = [host.live, live.peek()];
      world.expect(has === knows, `the host has ${has} objects, the guest knows ${knows} of them`);
    },
  });
}

export const handleReuse: Dispute = {
  id: "D3.9",
  thread: "dxgkrnl",
  title: "The host gives a handle out again before the guest has forgotten it",
  argued:
    "Handles come from the host. Greg KH questioned a handle space of the driver's own beside file " +
    "descriptors.",
  found:
    "When the host is told first, it may give the value to another thread's new object while the table still " +
    "has the old one: the assignment fails and the host's object leaks. When the guest unlinks first, as the " +
    "driver does for devices, no order does that.",
  variants: [
    {
      name: "the host is told first",
      program: reuse("the host is told"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "the guest unlinks first", program: reuse("the guest unlinks"), expected: "safe" },
  ],
};

type Unique = "always 2 after the first reuse" | "counts from 1 to 3" | "never repeats";
type User = "looks it up when it uses it" | "holds the slot from the lookup on";

function aba(unique: Unique, user: User, reuses: number): Program {
  return define({
    name: `unique field ${unique}, reused ${reuses} times, the user ${user}`,
    setup(world) {
      const slot = { name: "slot of the table" };
      // It was reused before, so that its field has the value that most have.
      const entry = { unique: 2, object: "A", holders: 0 };
      const next = (last: number): number => {
        if (unique === "never repeats") return last + 1;
        return unique === "counts from 1 to 3" ? (last % 3) + 1 : 2;
      };
      const handle = { unique: 2, of: "A" };
      const find = () => {
        world.writes(slot);
        return entry.unique === handle.unique;
      };
      world.task("thread 1 uses its handle", async () => {
        await world.point("look the handle up");
        if (!find()) return;
        if (user === "holds the slot from the lookup on") entry.holders += 1;
        await world.point("use what it stands for");
        if (!find()) return;
        world.expect(entry.object === handle.of, `the handle of ${handle.of} leads to ${entry.object}`);
      });
      world.task("thread 2 frees and allocates", async () => {
        for (const object of ["B", "C", "D"].slice(0, reuses)) {
          await world.point("free and allocate");
          world.writes(slot);
          if (entry.holders > 0) return;
          entry.unique = next(entry.unique);
          entry.object = object;
        }
      });
    },
  });
}

export const handleAba: Dispute = {
  id: "D3.10",
  thread: "dxgkrnl",
  title: "A freed handle becomes valid again with the next object in its slot",
  argued:
    "A handle has a field of two bits that should tell the users of one slot apart. When an entry is freed the " +
    "field is set to one and then raised, so after the first reuse it is always two.",
  found:
    "One free and one allocation are enough, and a late user of the old handle reaches the new object. " +
    "Counting properly moves that to the third reuse and no further: two bits only make it rare. Holding the " +
    "slot helps from the lookup on, not before it. Only a number that never comes back holds.",
  variants: [
    {
      name: "as posted: always 2, reused once",
      program: aba("always 2 after the first reuse", "looks it up when it uses it", 1),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "counted in two bits, reused twice",
      program: aba("counts from 1 to 3", "looks it up when it uses it", 2),
      expected: "safe",
    },
    {
      name: "counted in two bits, reused three times",
      program: aba("counts from 1 to 3", "looks it up when it uses it", 3),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "counted in two bits, the user holds the slot",
      program: aba("counts from 1 to 3", "holds the slot from the lookup on", 3),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "a number that never repeats",
      program: aba("never repeats", "looks it up when it uses it", 3),
      expected: "safe",
    },
  ],
};
