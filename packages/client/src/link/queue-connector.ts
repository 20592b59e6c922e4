/** Opens command queues: through shared memory where `koffi` is installed and the engine can, else as a stream. */
import {
  type CarrierKind,
  connectQueue,
  type KoffiModule,
  openSharedMemory,
  type Port,
  type QueueOwner,
  type SharedMemoryProvider,
} from "parhelion-protocol";

/** How the last queue was opened, for who asks why it is slow. */
export interface QueueCarrier {
  readonly kind: CarrierKind;
  /** Why it is not shared memory; undefined when it is. */
  readonly whyNotShared: string | undefined;
}

type SharedMemory =
  | { readonly state: "ready"; readonly provider: SharedMemoryProvider }
  | { readonly state: "impossible"; readonly why: string };

const engineDeclined =
  "the engine could not map this process's memory: it is on another machine, runs as another user, or has no koffi";

export class QueueConnector {
  readonly #wish: () => string | undefined;
  #sharedMemory: Promise<SharedMemory> | undefined;
  #last: QueueCarrier | undefined;

  /**
   * @param wish asked for every queue: "stream" does not even try shared memory, "shared-memory" takes nothing else, "best" or
   * undefined takes what is possible
   */
  constructor(wish: () => string | undefined) {
    this.#wish = wish;
  }

  /** Undefined before the first queue. */
  get last(): QueueCarrier | undefined {
    return this.#last;
  }

  /**
   * Loads `koffi` when the first queue is opened, once.
   * @throws QueueConnectError; Error where the wished carrier is impossible, with the reason
   */
  async connect(path: string, token: string, owner: QueueOwner): Promise<Port> {
    const wish = this.#wish() ?? "best";
    const endpoint = { path };
    switch (wish) {
      case "stream":
        return this.#opened(await connectQueue({ endpoint, token, owner }), "a stream was asked for");
      case "best":
      case "shared-memory":
        break;
      default:
        throw new Error(`PARHELION_CARRIER is "${wish}"; it can be best, shared-memory or stream`);
    }
    this.#sharedMemory ??= loadSharedMemory();
    const shared = await this.#sharedMemory;
    if (shared.state === "ready") {
      const port = await connectQueue({ endpoint, token, owner, sharedMemory: shared.provider });
      return this.#opened(port, engineDeclined, wish);
    }
    if (wish === "shared-memory") throw impossible(shared.why);
    return this.#opened(await connectQueue({ endpoint, token, owner }), shared.why);
  }

  #opened(port: Port, why: string, wish = "best"): Port {
    const isShared = port.carrier === "shared-memory";
    if (wish === "shared-memory" && !isShared) {
      port.close();
      throw impossible(why);
    }
    this.#last = { kind: port.carrier, whyNotShared: isShared ? undefined : why };
    return port;
  }
}

function impossible(why: string): Error {
  return new Error(`PARHELION_CARRIER asks for shared memory, and that is impossible here: ${why}`);
}

async function loadSharedMemory(): Promise<SharedMemory> {
  let koffi: { readonly default: KoffiModule };
  try {
    koffi = (await import("koffi")) as unknown as { readonly default: KoffiModule };
  } catch (error) {
    // An optional dependency: a stream carries the same.
    const message = error instanceof Error ? error.message.split("\n", 1)[0] : String(error);
    return { state: "impossible", why: `koffi does not load (${message})` };
  }
  const provider = openSharedMemory(koffi.default);
  if (provider !== undefined) return { state: "ready", provider };
  return { state: "impossible", why: `not on ${process.platform}/${process.arch} with this koffi` };
}
