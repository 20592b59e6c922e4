/**
 * Both ends of a queue in one test: objects of the client that carry handles, objects of the engine that write down
 * which of their methods was called, and the streams between them.
 */
import { createInProcessPair } from "../carrier/in-process.js";
import type { Port } from "../carrier/port.js";
import { CommandDeferred } from "./deferred.js";
import { InterfaceKind } from "./generated/numbers.js";
import type { CommandFailure, SpecialCommands } from "./generated/special-commands.js";
import { HANDLE, type Handled, KIND, OWNER } from "./handle.js";
import { ObjectTable, Reservation } from "./object-table.js";
import { Replayer, type ReplayerOptions } from "./replayer.js";
import { CommandStream } from "./stream.js";

export interface Call {
  /** The object's name, e.g. "GPUBuffer 7", or "special". */
  readonly on: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Every feature that a texture format needs. */
export const allFeatures: ReadonlySet<string> = new Set([
  "texture-compression-bc",
  "texture-compression-etc2",
  "texture-compression-astc",
  "depth32float-stencil8",
  "texture-formats-tier1",
]);

/** What the engine's objects are made of: every method that a name is asked for exists and is written down. */
export class EngineObject {
  readonly name: string;
  label = "";

  constructor(name: string) {
    this.name = name;
  }
}

export interface WorldOptions extends ReplayerOptions {
  readonly ringBytes?: number;
}

/** Each kind has the objects `10 * kind` and `10 * kind + 1`; created ones get ids from 1000. */
export class World {
  readonly owner = { queue: 1 };
  readonly client: Port;
  readonly engine: Port;
  readonly stream: CommandStream;
  readonly objects = new ObjectTable();
  readonly replayer: Replayer;
  readonly calls: Call[] = [];
  readonly failures: CommandFailure[] = [];
  readonly imported: Handled[] = [];
  /** Set to make the next call of an engine object's method throw. */
  failNext: Error | undefined;
  /** How often special commands are to be deferred from now on. */
  deferNext = 0;

  constructor({ ringBytes = 1 << 20, ...options }: WorldOptions = {}) {
    [this.client, this.engine] = createInProcessPair({
      geometry: { toEngine: ringBytes, toClient: ringBytes },
    });
    this.stream = new CommandStream({
      tx: this.client.tx,
      owner: this.owner,
      features: allFeatures,
      importForeign: (object) => {
        this.imported.push(object);
        return 10 * object[KIND];
      },
    });
    for (const [name, kind] of Object.entries(InterfaceKind)) {
      for (const id of [10 * kind, 10 * kind + 1]) this.objects.put(id, kind, this.#object(`${name} ${id}`));
    }
    this.replayer = new Replayer(this.engine.rx, this.objects, this.#special(), options);
  }

  /** An object of the client. */
  handled(name: string, second = 0, owner: object = this.owner): Handled {
    const kind = InterfaceKind[name as keyof typeof InterfaceKind];
    return { [HANDLE]: 10 * kind + second, [KIND]: kind, [OWNER]: owner };
  }

  /** Client objects of a kind with the engine objects that they stand for. */
  samplesOf(name: string): { given: Handled; expected: object }[] {
    const kind = InterfaceKind[name as keyof typeof InterfaceKind];
    return [0, 1].map((second) => ({
      given: this.handled(name, second),
      expected: this.objects.get(10 * kind + second, kind),
    }));
  }

  /** Publishes what was encoded and carries it out. @returns the calls it led to */
  replay(): Call[] {
    this.stream.flush();
    this.calls.length = 0;
    while (this.replayer.replay(1000) > 0);
    return [...this.calls];
  }

  close(): void {
    this.client.close();
    this.engine.close();
  }

  #object(name: string): EngineObject {
    return new Proxy(new EngineObject(name), {
      get: (target, property) => {
        if (property in target || typeof property === "symbol")
          return Reflect.get(target, property) as unknown;
        return (...args: unknown[]) => this.#called(name, property, args);
      },
    });
  }

  #special(): SpecialCommands {
    const handlers = {
      commandFailed: (failure: CommandFailure) => void this.failures.push(failure),
      importObject: (kind: number, queue: number, other: number) => {
        this.#called("special", "importObject", [kind, queue, other]);
        return other === 0 ? undefined : this.#object(`imported ${queue}.${other}`);
      },
    };
    return new Proxy(handlers as unknown as SpecialCommands, {
      get: (target, property) =>
        Reflect.get(target, property) ??
        ((...args: unknown[]) => this.#called("special", String(property), args)),
    });
  }

  #called(on: string, method: string, args: unknown[]): object {
    if (on === "special" && this.deferNext > 0) {
      this.deferNext -= 1;
      throw new CommandDeferred();
    }
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    // Payloads are the ring's memory: keep what they were during the call.
    const kept = args.map((arg) => (arg instanceof Uint8Array ? arg.slice() : arg));
    this.calls.push({ on, method, args: kept });
    for (const arg of args) if (arg instanceof Reservation) arg.fulfil(this.#object(`made for ${arg.id}`));
    return this.#object(`made by ${method}`);
  }
}
