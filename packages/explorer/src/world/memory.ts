/**
 * Memory whose every use is seen. A field is told apart by name, so allocations of one name in one run are numbered:
 * the second "private" is another object than the first.
 */
import type { Access, Named } from "parhelion-core";
import type { ControlledScheduler } from "../run/controlled-scheduler.js";

type Life = "live" | "freed" | "static";

interface Region {
  readonly on: Named;
  readonly name: string;
  life: Life;
  freed: { readonly step: number; readonly by: string } | null;
}

export class Memory {
  readonly #scheduler: ControlledScheduler;
  readonly #live = new Set<string>();
  readonly #regions = new Map<object, Region>();
  readonly #count = new Map<string, number>();

  constructor(scheduler: ControlledScheduler) {
    this.#scheduler = scheduler;
  }

  allocate<T extends object>(name: string, fields: T): T {
    const number = (this.#count.get(name) ?? 0) + 1;
    this.#count.set(name, number);
    // Who allocates first gets the first number.
    this.#scheduler.access({ name: `allocations of ${name}` }, "write");
    const proxy = this.#watch(number === 1 ? name : `${name} (${number})`, fields, "live");
    const region = this.#regions.get(proxy) as Region;
    this.#live.add(region.name);
    this.#scheduler.note("alloc", region.on);
    return proxy;
  }

  track<T extends object>(name: string, fields: T): T {
    return this.#watch(name, fields, "static");
  }

  free(allocation: object): void {
    const region = this.#regions.get(allocation);
    if (region === undefined || region.life === "static") {
      this.#scheduler.fail({ kind: "double-free", message: "free of something that was not allocated" });
      return;
    }
    this.#scheduler.access(region.on, "store");
    if (region.life === "freed") {
      const { freed, name } = region;
      this.#scheduler.fail({
        kind: "double-free",
        message: `${this.#who()} frees ${name}, which ${freed?.by} has freed in step ${freed?.step}`,
        clash: this.#since(region),
      });
      return;
    }
    region.life = "freed";
    this.#live.delete(region.name);
    region.freed = { step: this.#scheduler.step, by: this.#who() };
    this.#scheduler.note("free", region.on);
  }

  /** What was allocated and not freed. */
  left(): readonly string[] {
    return [...this.#live];
  }

  #who(): string {
    return this.#scheduler.task?.name ?? this.#scheduler.phase;
  }

  #since({ freed }: Region): readonly number[] {
    return freed === null ? [] : [freed.step, this.#scheduler.step];
  }

  #watch<T extends object>(name: string, fields: T, life: Life): T {
    const region: Region = { on: { name }, name, life, freed: null };
    const names = new Map<string | symbol, Named>();
    const use = (field: string | symbol, mode: Access) => {
      if (region.life === "freed") {
        this.#scheduler.fail({
          kind: "use-after-free",
          message:
            `${this.#who()} ${mode}s ${name}.${String(field)} after ${region.freed?.by} freed ${name} in step ` +
            String(region.freed?.step),
          clash: this.#since(region),
        });
      }
      // Freeing clashes with every use.
      if (region.life !== "static") this.#scheduler.access(region.on, "load");
      let on = names.get(field);
      if (on === undefined) {
        on = { name: `${name}.${String(field)}` };
        names.set(field, on);
      }
      this.#scheduler.access(on, mode);
    };
    const proxy = new Proxy(fields, {
      get: (target, field, receiver) => {
        use(field, "load");
        return Reflect.get(target, field, receiver) as unknown;
      },
      set: (target, field, value, receiver) => {
        use(field, "store");
        this.#scheduler.progress.became(`${name}.${String(field)}`, value);
        return Reflect.set(target, field, value, receiver);
      },
      has: (target, field) => {
        use(field, "load");
        return Reflect.has(target, field);
      },
      deleteProperty: (target, field) => {
        use(field, "store");
        return Reflect.deleteProperty(target, field);
      },
    });
    this.#regions.set(proxy, region);
    return proxy;
  }
}
