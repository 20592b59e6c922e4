/** What the host needs to start engines without knowing what is inside one. */
import { fileURLToPath } from "node:url";
import { prepareSoftwareAdapter } from "./software-adapter.js";

/** The file that the host forks, with an IPC channel. */
export const engineEntry: string = fileURLToPath(new URL("./main.js", import.meta.url));

/** Environment variable with more Dawn switches, separated by blanks, for example `backend=null`. */
export const DAWN_SWITCHES = "PARHELION_DAWN_SWITCHES";

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

/** @param environment what engines inherit */
export function createEngineLauncher(environment: NodeJS.ProcessEnv = process.env): EngineLauncher {
  return {
    entry: engineEntry,
    environmentFor: async (adapter) => {
      switch (adapter) {
        case "hardware":
          return { ...environment };
        case "software":
          return { ...environment, ...(await prepareSoftwareAdapter({ environment })).env };
        case "null":
          return { ...environment, [DAWN_SWITCHES]: "backend=null" };
      }
    },
  };
}
