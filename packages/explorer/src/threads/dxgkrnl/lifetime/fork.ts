/** D3.13: a child inherits the descriptor and is the last to close it. */
import { Mutex, Refcount } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

function program(release: "by the caller's tgid" | "by the file's private data"): Program {
  return define({
    name: `fork, release finds the process ${release}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "plistmutex");
      const process = world.allocate("dxgprocess", { tgid: 7 });
      const list = world.track("plisthead", { process: process as { tgid: number } | null });
      const releaseFor = { tgid: 0 };
      const file = new Refcount(world.runtime, "file", () => {
        const found = release === "by the file's private data" || releaseFor.tgid === 7 ? process : null;
        if (found === null) return;
        list.process = null;
        world.free(found);
      });
      const close = (tgid: number) => () =>
        lock.withLock(() => {
          releaseFor.tgid = tgid;
          file.put();
        });
      world.task("parent closes", close(7));
      world.task("child closes", close(8));
      return file;
    },
    async before(file) {
      // What fork does to each open file.
      file.get();
    },
    async after() {},
  });
}

export const forkedRelease: Dispute = {
  id: "D3.13",
  thread: "dxgkrnl",
  title: "The last close of a file comes from a forked child",
  argued:
    "Processes are found by their tgid in a global list; the reviewer pointed at the file's private data, " +
    "which is there for that.",
  found:
    "When the child closes last, a release that asks who is calling finds no process and leaves the parent's " +
    "behind. The file knows whose it is in every order; that is what the stored versions of the driver use.",
  variants: [
    {
      name: "release looks for the caller's process",
      program: program("by the caller's tgid"),
      expected: "unsafe",
      finds: "leak",
    },
    {
      name: "as posted: private data of the file",
      program: program("by the file's private data"),
      expected: "safe",
    },
  ],
};
