/** The store in every order: changes at once, writes that fail or take too long, and its end. */
import { Completion, noDeadline, type Runtime } from "parhelion-core";
import type { Program, World } from "parhelion-explorer";
import { HostError } from "../host-error.js";
import { openMemoryStore } from "../store/open-store.js";
import type { HostStore, StoreChange } from "../store/store.js";
import { contentOf, FailingTable, type Fate, guestRecord, sliceRecord } from "../store/store.test.fixture.js";
import type { TableEdit } from "../store/table.js";

/** A disk that does one thing at a time, or says so. */
class WatchedTable extends FailingTable {
  readonly name = "table";
  readonly #world: World;
  readonly #runtime: Runtime;
  /** What writes wait for, in order; the others for nothing. */
  readonly slow: Completion[] = [];
  #users = 0;

  constructor(world: World) {
    super();
    this.#world = world;
    this.#runtime = world.runtime;
  }

  override open(): Promise<void> {
    return this.#alone("open", () => super.open());
  }

  override get(key: string): Promise<string | undefined> {
    return this.#alone("get", () => super.get(key));
  }

  override write(edits: readonly TableEdit[]): Promise<void> {
    return this.#alone("write", async () => {
      await this.slow.shift()?.wait({ deadline: noDeadline });
      await super.write(edits);
    });
  }

  override close(): Promise<void> {
    return this.#alone("close", () => super.close());
  }

  async #alone<T>(op: string, work: () => Promise<T>): Promise<T> {
    this.#runtime.scheduler.access(this, "write");
    this.#users += 1;
    this.#world.expect(this.#users === 1, `${op} beside another use of the table`);
    await this.#runtime.scheduler.yield(`table.${op}`, this);
    try {
      return await work();
    } finally {
      this.#runtime.scheduler.access(this, "write");
      this.#users -= 1;
    }
  }
}

interface Stage {
  readonly table: WatchedTable;
  store: HostStore;
  /** Ids of guests whose change was acknowledged. */
  readonly kept: Set<string>;
  readonly refused: Set<string>;
}

async function build(stage: Stage, world: World): Promise<void> {
  stage.store = await openMemoryStore(world.runtime, stage.table);
  await stage.store.change({ putGuests: [guestRecord(9)] });
  stage.kept.add(guestRecord(9).id);
}

async function put(stage: Stage, number: number, also: StoreChange = {}): Promise<void> {
  const guest = guestRecord(number);
  try {
    await stage.store.change({ putGuests: [guest], ...also });
    stage.kept.add(guest.id);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code !== "store-failed" && error.code !== "host-stopping") throw error;
    stage.refused.add(guest.id);
  }
}

/** In memory and on the disk is what was acknowledged, and nothing else. */
async function compare(stage: Stage, world: World): Promise<void> {
  const { store, table, kept } = stage;
  await store.close();
  const ids = store.guests.map(({ id }) => id).sort();
  world.expect(ids.join() === [...kept].sort().join(), `kept ${[...kept].join()}, has ${ids.join()}`);
  const next = await openMemoryStore(world.runtime, table);
  world.expect(contentOf(next) === contentOf(store), `the next one has ${contentOf(next)}`);
  await next.close();
}

function failing(fates: readonly Fate[], failedOpenings: number, close: "close" | "stay"): Program<Stage> {
  return {
    name: `two changes at once, writes ${fates.join(", ")}, ${failedOpenings} openings fail, and they ${close}`,
    setup(world) {
      const stage: Stage = {
        table: new WatchedTable(world),
        store: undefined as never,
        kept: new Set(),
        refused: new Set(),
      };
      world.task("one", () => put(stage, 1, { putSlices: [sliceRecord(1)] }));
      world.task("two", () => put(stage, 2, { putSlices: [sliceRecord(2)] }));
      if (close === "close") world.task("close", () => stage.store.close());
      return stage;
    },
    async before(stage, world) {
      await build(stage, world);
      stage.table.fates.push(...fates);
      stage.table.failedOpenings = failedOpenings;
    },
    after: compare,
  };
}

export const failingWrites: readonly Program<Stage>[] = [
  failing([], 0, "close"),
  failing(["lost"], 0, "close"),
  failing(["done-but-failed"], 0, "close"),
  failing(["done-but-failed", "done-but-failed"], 1, "stay"),
  failing(["lost", "done-but-failed", "lost"], 1, "stay"),
];

export const slowWrite: Program<Stage> = {
  name: "a write takes longer than anybody waits, and the next change comes before it ends",
  setup(world) {
    const table = new WatchedTable(world);
    const stage: Stage = { table, store: undefined as never, kept: new Set(), refused: new Set() };
    const disk = new Completion(world.runtime, "the disk");
    world.task("one", () => put(stage, 1));
    world.task("two", () => put(stage, 2));
    world.task("disk", async () => {
      // Longer than one change may take; whether longer than two is for the search to say.
      const late = new Completion(world.runtime, "late");
      world.runtime.clock.setTimer(15_000, () => late.completeAll());
      await late.wait({ deadline: noDeadline });
      disk.completeAll();
    });
    return Object.assign(stage, { disk });
  },
  async before(stage, world) {
    await build(stage, world);
    stage.table.slow.push((stage as Stage & { disk: Completion }).disk);
  },
  async after(stage, world) {
    world.expect(stage.refused.size > 0, "a write that took too long was acknowledged");
    await compare(stage, world);
  },
};
