/** What users do with interrupts at once: triggers given and taken while they fire. */
import { outcomeOf, type Program, type World } from "parhelion-explorer";
import type { AnsweredRequest } from "../device/answer.js";
import type { DeviceReply } from "../device/calls.js";
import type { Binding } from "../device/use.js";
import { type AttachedDevice, type Eventfd, IrqSetFlag, VfioDevice } from "../index.js";
import { beginWithUser, named, VfioStage } from "./vfio-stage.test.fixture.js";

type WithUser = VfioStage & { user?: AttachedDevice; trigger?: Eventfd };

/** Signalling it after its release is a use after free. */
function trigger(world: World, name: string): Eventfd {
  const memory = world.allocate(name, { count: 0 });
  return {
    signal: (count) => {
      memory.count += count;
    },
    release: () => world.free(memory),
  };
}

const enable = (data: readonly (Eventfd | null)[]) => ({
  argsz: 24,
  flags: IrqSetFlag.DATA_EVENTFD | IrqSetFlag.ACTION_TRIGGER,
  index: 0,
  start: 0,
  count: 1,
  data,
});

/** @param plant the driver keeps the trigger for itself, and signals it after it has looked */
export function triggerTakenBack(
  by: "SET_IRQS" | "close" | "revocation",
  plant?: "looks, then signals",
): Program<WithUser> {
  return {
    name: named(`a device triggers while its trigger is taken back by ${by}`, plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, { options: { revokeMs: 0 } });
      world.task("device", async () => {
        await world.point("something happens");
        if (plant) {
          if (!stage.device.irqs.assigned(0)) return;
          await world.point("sure that somebody listens");
          stage.trigger?.signal(1);
        } else {
          stage.device.irqs.trigger(0);
        }
      });
      world.task(by, async () => {
        const { user } = stage;
        if (user === undefined) return;
        if (by === "SET_IRQS") await user.call("SET_IRQS", enable([trigger(world, "another")]));
        else if (by === "close") await user.close();
        else await stage.go("unbound");
      });
      return stage;
    },
    async before(stage, world) {
      await beginWithUser(stage);
      stage.trigger = trigger(world, "trigger");
      await stage.user?.call("SET_IRQS", enable([stage.trigger]));
    },
    async after(stage) {
      if (by !== "close") await stage.user?.close();
      await stage.end();
    },
  };
}

/** Keeps its trigger itself: it takes the former down, which takes a while, then puts the new one in its place. */
class Swapping extends VfioDevice {
  #trigger: Eventfd | null = null;

  override async answer(request: AnsweredRequest): Promise<DeviceReply> {
    if (request.op !== "SET_IRQS") return super.answer(request);
    const former = this.#trigger;
    await this.runtime.scheduler.yield("takes the former down", this);
    former?.release?.();
    const [given = null] = request.data as readonly (Eventfd | null)[];
    this.#trigger = given;
    return undefined;
  }

  override async close(binding: Binding): Promise<void> {
    this.#trigger?.release?.();
    await super.close(binding);
  }
}

/** @param plant two that come at once both take the former down, and one of theirs is forgotten */
export function triggersAtOnce(plant?: "looks, then swaps"): Program<WithUser> {
  return {
    name: named("two give the device a trigger while it triggers", plant),
    setup(world) {
      const stage: WithUser = new VfioStage(world, plant && { DeviceClass: Swapping });
      for (const name of ["one", "two"]) {
        world.task(name, async () => {
          const mine = trigger(world, name);
          const { user } = stage;
          const answer =
            user === undefined
              ? "EBADF"
              : await outcomeOf(() => user.call("SET_IRQS", enable([mine])), "EBADF", "ENODEV");
          // What was refused is still the caller's.
          if (answer !== "done") mine.release?.();
        });
      }
      world.task("device", async () => {
        await world.point("something happens");
        stage.device.irqs.trigger(0);
      });
      return stage;
    },
    before: beginWithUser,
    async after(stage) {
      await stage.user?.close();
      await stage.end();
    },
  };
}
