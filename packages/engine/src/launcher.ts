/** What the host needs to start engines without knowing what is inside one. */
import { fileURLToPath } from "node:url";
import { engineEnvironment } from "./sandbox/environment.js";
import { SANDBOX, type SandboxWish } from "./sandbox/seal.js";
import { prepareSoftwareAdapter } from "./software-adapter.js";
import { DAWN_SWITCHES } from "./switches.js";

/** The engine itself. */
export const engineEntry: string = fileURLToPath(new URL("./main.js", import.meta.url));
/** What the host starts, with an IPC channel, in the directory of the engine's socket: it takes rights away and becomes the engine. */
const sandboxEntry = fileURLToPath(new URL("./sandbox/enter.cjs", import.meta.url));

/**
 * `hardware`: whatever the system's drivers offer. `software`: SwiftShader, which this package brings. `null`: Dawn without any
 * GPU, which validates and computes nothing.
 */
export type AdapterKind = "hardware" | "software" | "null";

export interface EngineLauncher {
  readonly entry: string;
  /** @throws SoftwareAdapterError when the software adapter cannot be unpacked */
  environmentFor(adapter: AdapterKind): Promise<NodeJS.ProcessEnv>;
}

export interface EngineLauncherOptions {
  /** What engines inherit of, as far as they need it. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: `best`. */
  readonly sandbox?: SandboxWish;
}

export function createEngineLauncher(options: EngineLauncherOptions = {}): EngineLauncher {
  const host = options.environment ?? process.env;
  const environment = { ...engineEnvironment(host), [SANDBOX]: options.sandbox ?? host[SANDBOX] ?? "best" };
  return {
    entry: sandboxEntry,
    environmentFor: async (adapter) => {
      switch (adapter) {
        case "hardware":
          return { ...environment };
        case "software":
          return { ...environment, ...(await prepareSoftwareAdapter({ environment: host })).env };
        case "null":
          return { ...environment, [DAWN_SWITCHES]: "backend=null" };
      }
    },
  };
}
