/** D4.2: a machine is suspended on one host and resumed on an older one. */
import { RwLock } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { headerBytes, versionExtended, versionOld } from "../parts/config-space.js";
import { define, lookPastRaces } from "../parts/define.js";

type Resume =
  | "keeps the version"
  | "negotiates again"
  | "waits for messages under way, then negotiates again";

function program(resume: Resume): Program {
  return define({
    name: `resume on an older host ${resume}`,
    setup(world) {
      const lock = new RwLock(world.runtime, "core_lock");
      const host = world.track("host", { version: versionExtended });
      const guest = world.track("adapter", { version: versionExtended });
      const send = async () => {
        const bytes = headerBytes(guest.version);
        await world.point("send");
        const read = headerBytes(host.version);
        world.expect(bytes === read, `a message with a header of ${bytes} bytes is read with one of ${read}`);
      };
      world.task("user", () => lock.withRead(send));
      world.task("suspend and resume", async () => {
        const waits = resume === "waits for messages under way, then negotiates again";
        const guard = waits ? await lock.write() : null;
        await world.point("the machine moves");
        host.version = versionOld;
        if (resume !== "keeps the version") guest.version = host.version;
        guard?.release();
      });
      return { lock, send };
    },
    async after({ lock, send }) {
      await lock.withRead(send);
    },
  });
}

export const resumeOnOlderHost: Dispute = {
  id: "D4.2",
  thread: "dxgkrnl",
  title: "Resumed on a host that is older than the one it was suspended on",
  argued:
    "The version is fixed when the driver is probed. Asked on the list: what about the lifespan of a virtual " +
    "machine?",
  found:
    "A version that is kept is wrong for every message after the move. One that is negotiated again is wrong " +
    "still for a message that was built before and sent after. It has to wait for what is under way, with the " +
    "lock that every sender holds.",
  variants: [
    {
      name: "as posted: the version is kept",
      program: program("keeps the version"),
      expected: "unsafe",
      finds: "expectation",
      options: lookPastRaces,
    },
    {
      name: "negotiated again on resume",
      program: program("negotiates again"),
      expected: "unsafe",
      finds: "expectation",
      options: lookPastRaces,
    },
    {
      name: "senders kept out, then negotiated again",
      program: program("waits for messages under way, then negotiates again"),
      expected: "safe",
    },
  ],
};
