/** The machine's own subchannel in every order: instructions against what the device does and what an operator does. */
import { Actl, CcwFlag, ccw1, Dstat, Fctl, orb, type Scsw, Stctl, type SubchannelId } from "parhelion-buses";
import { Completion, noDeadline } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import type { ChannelDevice, Command, DataPath, DeviceLine, Ending } from "../../interpreter/device.js";
import type { MainStorage } from "../../storage/storage.js";
import { ChannelSubsystem } from "../channel-subsystem.js";
import type { MachineSubchannel } from "../subchannel.js";
import { Words } from "../words.js";

const good = Dstat.CHN_END | Dstat.DEV_END;
const read = 0x02;
const control = 0x07;

/** Ends a control command when it is told to, and answers a read at once. */
class Device implements ChannelDevice {
  line: DeviceLine | null = null;
  readonly #world: World;
  #working: Completion<Ending> | null = null;

  constructor(world: World) {
    this.#world = world;
  }

  attached(line: DeviceLine): void {
    this.line = line;
  }

  async execute({ kind }: Command, data: DataPath): Promise<Ending> {
    if (kind === "read") {
      await data.send(Uint8Array.of(1, 2, 3, 4));
      return { status: good };
    }
    data.accept();
    this.#world.writes(deviceState);
    this.#working = new Completion(this.#world.runtime, "the device");
    return this.#working.wait({ deadline: noDeadline });
  }

  end(): void {
    this.#world.writes(deviceState);
    this.#working?.completeAll({ status: good });
    this.#working = null;
  }

  halt(): void {
    this.end();
  }
}

const deviceState = { name: "the device's state" };

/** What a machine could do wrong. */
export type Plant =
  /** A status is presented a step after it was decided. */
  | "presented later"
  /** A device's call is presented whatever goes on. */
  | "not held"
  /** CSCH answers, and takes effect a step later. */
  | "answered first";

class Open extends Words {
  override hold(dstat: number): void {
    this.present({ dstat }, Stctl.ALERT | Stctl.PEND);
  }
}

class PlantedSubsystem extends ChannelSubsystem {
  readonly #world: World;
  readonly #plant: Plant | undefined;

  constructor(world: World, storage: MainStorage, plant: Plant | undefined) {
    super(world.runtime, { storage, sets: 1 });
    this.#world = world;
    this.#plant = plant;
  }

  override csch(id: SubchannelId): 0 | 3 {
    if (this.#plant !== "answered first") return super.csch(id);
    this.#world.runtime.scheduler.spawn("csch", async () => {
      await this.#world.point("csch has answered");
      super.csch(id);
    });
    return 0;
  }

  protected override make(...[init, around]: Parameters<ChannelSubsystem["make"]>): MachineSubchannel {
    if (this.#plant === "not held")
      return super.make({ ...init, makeWords: (...of) => new Open(...of) }, around);
    if (this.#plant !== "presented later") return super.make(init, around);
    const world = this.#world;
    class Late extends Words {
      override present(...of: Parameters<Words["present"]>): void {
        world.runtime.scheduler.spawn("presents", async () => {
          await world.point("a status was decided");
          super.present(...of);
        });
      }
    }
    return super.make({ ...init, makeWords: (...of) => new Late(...of) }, around);
  }
}

/** One processor: it takes each interruption, collects the status, and notes it. */
export class Stage {
  readonly world: World;
  readonly css: ChannelSubsystem;
  readonly device: Device;
  readonly id: SubchannelId;
  readonly collected: Scsw[] = [];
  interruptions = 0;
  readonly memory = new Uint8Array(0x3000);
  /** Whether storage may still change. */
  #storage: "changes" | "is the processor's" = "changes";

  constructor(world: World, plant?: Plant) {
    this.world = world;
    const storage: MainStorage = {
      read: async (address, length) => {
        await world.point("storage");
        return this.memory.slice(address, address + length);
      },
      write: (address, bytes) => {
        world.reads(this.#fence);
        world.expect(this.#storage === "changes", "a program that was cleared stores");
        this.memory.set(bytes, address);
      },
    };
    this.css = new PlantedSubsystem(world, storage, plant);
    this.device = new Device(world);
    this.id = this.css.attach({ device: this.device, devno: 1, chpids: [1, 2] });
    this.css.onInterruption(() => {
      this.interruptions += 1;
      const { irb } = this.css.tsch(this.id);
      if (irb !== null && (irb.scsw.stctl & Stctl.PEND) !== 0) this.collected.push(irb.scsw);
    });
    this.css.enableSubclasses(0xff);
    const { schib } = this.css.stsch(this.id);
    if (schib !== null) this.css.msch(this.id, { ...schib, pmcw: { ...schib.pmcw, ena: 1 } });
  }

  readonly #fence = { name: "whose storage it is" };

  program(cmd: number, flags = 0): void {
    this.memory.set(ccw1.encode({ cmd, flags: flags | CcwFlag.SLI, count: 4, cda: 0x2000 }), 0x1000);
    this.memory.set([0, 0, 0x28, 0], 0x2000);
  }

  start(cmd = control, flags = 0): number {
    this.program(cmd, flags);
    return this.css.ssch(this.id, orb.make({ fmt: 1, lpm: 0xff, cpa: 0x1000 }));
  }

  /** From here on a store is an error. */
  fence(): void {
    this.world.writes(this.#fence);
    this.#storage = "is the processor's";
  }

  get scsw(): Scsw {
    const { schib } = this.css.stsch(this.id);
    if (schib === null) throw new Error("no subchannel");
    return schib.scsw;
  }

  /** What must hold at every moment. */
  look(): void {
    const { fctl, actl, stctl, dstat, cc } = this.scsw;
    const says = `fctl ${fctl} actl ${actl.toString(16)} stctl ${stctl.toString(16)}`;
    const expect = (holds: boolean): void => this.world.expect(holds, says, "invariant");
    expect((fctl & Fctl.CLEAR) === 0 || fctl === Fctl.CLEAR);
    expect((actl & (Actl.START_PEND | Actl.SUSPENDED)) === 0 || (fctl & Fctl.START) !== 0);
    expect((actl & Actl.HALT_PEND) === 0 || (fctl & Fctl.HALT) !== 0);
    expect(stctl === 0 || (stctl & Stctl.PEND) !== 0);
    expect((stctl & Stctl.PRIM) === 0 || (actl & Actl.SCHACT) === 0);
    // A call waits until nothing is under way, or is what a start meets.
    expect((dstat & Dstat.ATTENTION) === 0 || fctl === 0 || cc === 1);
  }

  /** Everything was answered: the subchannel is idle, and its last status was that of the last function. */
  end(...functions: readonly number[]): void {
    const { fctl, actl, stctl } = this.scsw;
    const { world, collected } = this;
    world.expect(fctl === 0 && actl === 0 && stctl === 0, `left: fctl ${fctl} actl ${actl} stctl ${stctl}`);
    const last = collected.at(-1)?.fctl ?? 0;
    world.expect(functions.includes(last), `the last status was for ${last}, of ${collected.length}`);
    const cleared = collected.filter((status) => status.fctl === Fctl.CLEAR).length;
    world.expect(cleared <= 1, `one clear was reported ${cleared} times`);
  }
}

function program(
  name: string,
  tasks: (stage: Stage, world: World) => void,
  last: readonly number[],
): (plant?: Plant) => Program<Stage> {
  return (plant) => ({
    name: plant === undefined ? name : `${name} (planted: ${plant})`,
    setup(world) {
      const stage = new Stage(world, plant);
      tasks(stage, world);
      return stage;
    },
    async after(stage, world) {
      // Whatever is still under way is the device's.
      stage.device.end();
      await world.runtime.scheduler.block(
        "the rest",
        stage.device.line as never,
        world.runtime.clock.now() + 1,
      ).wakeup;
      stage.end(...last);
    },
    invariant: (stage) => stage.look(),
  });
}

export const clearedWhileItEnds = program(
  "a program is cleared while its device ends",
  (stage, world) => {
    stage.start();
    world.task("device", async () => stage.device.end());
    world.task("clear", async () => {
      const cc = stage.css.csch(stage.id);
      world.expect(cc === 0, `condition code ${cc}`);
    });
  },
  [Fctl.CLEAR],
);

export const haltedWhileItEnds = program(
  "a program is halted while its device ends",
  (stage, world) => {
    stage.start();
    world.task("device", async () => stage.device.end());
    world.task("halt", async () => {
      stage.css.hsch(stage.id);
    });
  },
  [Fctl.START, Fctl.START | Fctl.HALT, Fctl.HALT],
);

export const haltedAndCleared = program(
  "a program is halted and cleared from two sides",
  (stage, world) => {
    stage.start();
    world.task("halt", async () => {
      stage.css.hsch(stage.id);
    });
    world.task("clear", async () => {
      stage.css.csch(stage.id);
    });
  },
  [Fctl.CLEAR, Fctl.HALT],
);

export const clearedTwice = program(
  "a program is cleared twice in a row while it starts: one status says so",
  (stage, world) => {
    stage.start();
    world.task("clear", async () => {
      stage.css.csch(stage.id);
      stage.css.csch(stage.id);
    });
  },
  [Fctl.CLEAR],
);

export const calledWhileItStarts = program(
  "the device calls while a program starts",
  (stage, world) => {
    world.task("start", async () => {
      stage.start();
    });
    world.task("device", async () => {
      stage.device.line?.unsolicited(Dstat.ATTENTION);
      await world.point("called");
      stage.device.end();
    });
  },
  [0, Fctl.START],
);

export const pathGoesMeanwhile = program(
  "a path goes offline while a program starts and is cleared",
  (stage, world) => {
    stage.start();
    world.task("operator", async () => stage.css.path(1).configure("offline"));
    world.task("clear", async () => {
      stage.css.csch(stage.id);
    });
  },
  [Fctl.CLEAR],
);

export const clearedWhileItStores = program(
  "a program that reads through an IDAW is cleared: it stores nothing afterwards",
  (stage, world) => {
    stage.start(read, CcwFlag.IDA);
    world.task("clear", async () => {
      stage.css.csch(stage.id);
      stage.fence();
    });
  },
  [Fctl.CLEAR],
);

export const pulledMeanwhile = (plant?: Plant): Program<Stage> => ({
  name: `a device is pulled while its program starts and is halted: nobody is told of a status${plant === undefined ? "" : ` (planted: ${plant})`}`,
  setup(world) {
    const stage = new Stage(world, plant);
    stage.start();
    world.task("operator", async () => {
      stage.css.detach(stage.id);
      world.expect(stage.css.stsch(stage.id).cc === 3, "the subchannel is still there");
      stage.interruptions = 0;
    });
    world.task("halt", async () => {
      stage.css.hsch(stage.id);
    });
    return stage;
  },
  async after(stage, world) {
    await world.runtime.scheduler.block("the rest", stage.device.line as never, world.runtime.clock.now() + 1)
      .wakeup;
    world.expect(stage.interruptions === 0, "somebody was told of a status of what is not there");
  },
});
