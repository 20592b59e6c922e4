/**
 * How an engine is started is injected: the host knows neither where the engine's program lies nor what environment makes
 * a software GPU visible to it.
 */

/** Where an engine looks for a GPU: the machine's own drivers, a software GPU, or Dawn's null backend (no GPU at all). */
export type AdapterKind = "hardware" | "software" | "null";

export interface EngineLauncher {
  /** Path of the engine's main module. */
  readonly entry: string;
  /**
   * The complete environment of an engine for `kind` of adapter.
   * May reject: then this kind is not available here, and the message says why.
   */
  environmentFor(kind: AdapterKind): Promise<NodeJS.ProcessEnv>;
}

/** What an engine is told besides its queue path. */
export interface EngineChoice {
  readonly kind: AdapterKind;
  /** Dawn's switches, for example `adapter=llvmpipe`. */
  readonly dawn: readonly string[];
  readonly forceFallback: boolean;
}

export function engineChoice(kind: AdapterKind, adapterName?: string): EngineChoice {
  if (kind === "null") return { kind, dawn: ["backend=null"], forceFallback: false };
  return {
    kind,
    dawn: adapterName === undefined ? [] : [`adapter=${adapterName}`],
    forceFallback: kind === "software",
  };
}
