/** D3.15: one file of a process is closed while a request runs on another. */
import { Refcount, RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define, lookPastRaces } from "../parts/define.js";

function program(closes: "each close" | "the last close"): Program {
  return define({
    name: `adapters of a process are closed by ${closes}`,
    setup(world) {
      const lock = new RwLock(world.runtime, "core_lock");
      const adapters = world.allocate("process_adapter", { open: 1 });
      const release = () => world.free(adapters);
      const refs = new Refcount(world.runtime, "files of the process", () => {
        if (closes === "the last close") release();
      });
      const close = () => {
        if (closes === "each close" && refs.count === 2) release();
        refs.put();
      };
      world.task("thread 1 closes its file", async () => {
        await world.point("close");
        close();
      });
      world.task("thread 2 makes a request and closes", async () => {
        await lock.withRead(async () => {
          await world.point("in the request");
          world.expect(adapters.open === 1, "the adapter is not open");
        });
        close();
      });
      return refs;
    },
    async before(refs) {
      refs.get();
    },
    async after() {},
  });
}

export const lastClose: Dispute = {
  id: "D3.15",
  thread: "dxgkrnl",
  title: "A close while another file of the same process has a request under way",
  argued: "What a process has open belongs to all of its files; the count of them decides when it goes.",
  found:
    "If a close takes the adapters down without asking whether it is the last one, the request on the other " +
    "file uses what is gone. With one reference for each file it is the last close in every order.",
  variants: [
    {
      name: "any close takes the adapters down",
      program: program("each close"),
      expected: "unsafe",
      finds: "use-after-free",
      options: lookPastRaces,
    },
    { name: "as posted: the last close does", program: program("the last close"), expected: "safe" },
  ],
};
