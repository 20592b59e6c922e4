/** D3.1, D3.2: how a process gets its object when it opens the node for the first time, twice at once. */
import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

interface Process {
  readonly tgid: number;
  /** Null until it is initialised. */
  handles: readonly number[] | null;
}

type Search = "released before creating" | "held until it is added" | "none: an object for each file";

function doubleCreate(search: Search): Program {
  return define({
    name: `two opens at once, list lock ${search}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "plistmutex");
      const list = world.track("plisthead", { processes: [] as readonly Process[] });
      const find = () => list.processes.find(({ tgid }) => tgid === 7);
      const add = () => {
        list.processes = [...list.processes, { tgid: 7, handles: [] }];
      };
      const open = async (thread: string): Promise<void> => {
        if (search === "none: an object for each file") {
          const file = world.track(`file of ${thread}`, { process: null as Process | null });
          file.process = { tgid: 7, handles: [] };
          return;
        }
        if (search === "held until it is added") {
          await lock.withLock(() => {
            if (find() === undefined) add();
          });
          return;
        }
        const found = await lock.withLock(find);
        if (found === undefined) await lock.withLock(add);
      };
      for (const thread of ["thread 1", "thread 2"]) world.task(`${thread} opens`, () => open(thread));
      return list;
    },
    async after(list, world) {
      const { length } = list.processes;
      world.expect(length <= 1, `one process has ${length} objects, and ${length} processes on the host`);
    },
  });
}

export const doubleOpen: Dispute = {
  id: "D3.1",
  thread: "dxgkrnl",
  title: "Two threads of a process open the node for the first time at once",
  argued:
    "The driver looks its process up in a global list and creates it when it is not there. The reviewer: there " +
    "is no such list, an open file has its own private data.",
  found:
    "The lock is given back between the search and the creation, so two threads both find nothing and both " +
    "create: two objects, and two processes on the host, of which later lookups use one. Held over both it is " +
    "one in every order. With the state in the file there is nothing to find.",
  variants: [
    {
      name: "as posted: search, then create",
      program: doubleCreate("released before creating"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "search and add under one lock",
      program: doubleCreate("held until it is added"),
      expected: "safe",
    },
    {
      name: "as proposed: private data of each file",
      program: doubleCreate("none: an object for each file"),
      expected: "safe",
    },
  ],
};

function visibleEarly(order: "added, then initialised" | "initialised, then added"): Program {
  return define({
    name: `process is ${order}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "plistmutex");
      const list = world.track("plisthead", { process: null as Process | null });
      world.task("thread 1 creates the process", async () => {
        const process = world.track<Process>("process", { tgid: 7, handles: null });
        const initialise = async () => {
          await world.point("initialise the handle tables");
          process.handles = [];
        };
        if (order === "initialised, then added") await initialise();
        await lock.withLock(() => {
          list.process = process;
        });
        if (order === "added, then initialised") await initialise();
      });
      world.task("thread 2 makes a request", async () => {
        const process = await lock.withLock(() => list.process);
        if (process === null) return;
        const handles = process.handles as readonly number[];
        world.expect(handles.length === 0, "somebody's handle is in a fresh table");
      });
    },
  });
}

export const visibleBeforeComplete: Dispute = {
  id: "D3.2",
  thread: "dxgkrnl",
  title: "A process is in the list before it is initialised",
  argued: "Nobody argued about it: it follows from the order in which the object is set up.",
  found:
    "Whoever finds the object between the two uses handle tables that are not there yet. Added last it is " +
    "complete for everybody who finds it: the lock of the list orders its fields too.",
  variants: [
    {
      name: "as posted: added, then initialised",
      program: visibleEarly("added, then initialised"),
      expected: "unsafe",
      finds: "exception",
      options: lookPastRaces,
    },
    { name: "initialised, then added", program: visibleEarly("initialised, then added"), expected: "safe" },
  ],
};
