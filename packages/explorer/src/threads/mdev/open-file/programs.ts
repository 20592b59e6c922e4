/** An mdev is removed while somebody has it open. */
import { Completion, noDeadline } from "parhelion-core";
import type { Program } from "../../../program.js";
import { answerOf, type Mdev, MdevParent } from "../parts/mdev-core.js";
import { VfioDevice } from "../parts/vfio-device.js";

export type User = "never closes" | "is killed" | "closes when asked";

interface Shared {
  readonly parent: MdevParent;
  mdev: Mdev | null;
}

/** Removes, and creates one with the same uuid: while the first is open that is refused. */
export function removeOpen(user: User): Program<Shared> {
  return {
    name: `remove an open mdev, its user ${user}`,
    setup(world) {
      const parent = new MdevParent(world, undefined, 2);
      const shared: Shared = { parent, mdev: null };
      const killed = new Completion(world.runtime, "SIGKILL");
      world.task("remove", async () => {
        const { mdev } = shared;
        if (mdev !== null) await parent.removeMdev(mdev);
      });
      world.task("create again", async () => {
        await answerOf(() => parent.createMdev("uuid"), "EEXIST");
      });
      world.task("user", async () => {
        const vfio = shared.mdev?.vfio;
        if (vfio === undefined || user === "never closes") return;
        if (user === "is killed") await killed.wait({ deadline: noDeadline });
        else await vfio.request.wait({ deadline: noDeadline });
        // Closing is not the user's decision any more: the last file of a dead process is closed by the kernel.
        vfio.unuse();
      });
      if (user === "is killed") world.task("kill", async () => killed.completeAll());
      return shared;
    },
    async before(shared) {
      shared.mdev = await shared.parent.createMdev("uuid");
      shared.mdev.vfio.tryUse();
    },
    async after({ parent }) {
      const [mdev] = await parent.mdevs();
      if (mdev !== undefined) await parent.removeMdev(mdev);
      await parent.unregister();
    },
  };
}

/** The task that removes gets a signal while it waits for the user. */
export function killedRemover(then: "frees" | "goes on waiting"): Program<VfioDevice> {
  return {
    name: `killed remover ${then}`,
    setup(world) {
      const vfio = new VfioDevice(world, "vfio device");
      const signal = world.atomic("signal", "none" as "none" | "SIGKILL");
      world.task("remover", async () => {
        if (then === "frees" && (await signal.load()) === "SIGKILL") {
          vfio.put();
          return;
        }
        await vfio.unregister();
        vfio.put();
      });
      world.task("kill", () => signal.store("SIGKILL"));
      world.task("user", async () => {
        await world.point("at work");
        vfio.unuse();
      });
      return vfio;
    },
    async before(vfio) {
      vfio.register();
      vfio.tryUse();
    },
  };
}

/** What the node files of this project do: nobody waits for the user, whose file answers ENODEV from then on. */
export function revokedFile(): Program<VfioDevice> {
  return {
    name: "revoked file",
    setup(world) {
      const vfio = new VfioDevice(world, "vfio device");
      world.task("remove", async () => {
        vfio.revoke();
        vfio.put();
      });
      world.task("user who never closes", async () => {
        await world.point("at work");
        // The file has a reference of its own, so there is something that can answer.
        void vfio.registered;
        void vfio.memory.set;
      });
      return vfio;
    },
    async before(vfio) {
      vfio.register();
      vfio.get();
    },
    async after(vfio) {
      vfio.put();
    },
  };
}
