/** `parhelion host`: the daemon, in the foreground. A service manager or a shell's `&` puts it where it belongs. */
import { createEngineLauncher } from "parhelion-engine";
import { type AdapterRequest, startHost } from "parhelion-host";
import type { Address } from "../address.js";
import { CommandError } from "../command-error.js";
import { openLocalNode } from "../guest/local-node.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";

export interface HostCommand {
  readonly state?: string;
  readonly adapter?: readonly string[];
  /** Bytes, for all adapters or for each. */
  readonly adapterMemory?: readonly number[];
  readonly listen?: Address;
  readonly forgetState?: boolean;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

export async function hostCommand(options: HostCommand, terminal: Terminal): Promise<number> {
  const end = untilAskedToEnd();
  try {
    const host = await startHost({
      launcher: createEngineLauncher(),
      adapters: adaptersOf(options),
      openLocalNode: openLocalNode(logAt(options.logLevel)),
      logLevel: options.logLevel,
      forgetState: options.forgetState === true,
      ...(options.state === undefined ? {} : { stateDirectory: options.state }),
      ...(options.listen === undefined ? {} : { listen: options.listen }),
    });
    try {
      const status = await host.status();
      if (options.json) terminal.out(JSON.stringify({ event: "ready", ...status }));
      else if (terminal.watched) {
        const adapters = status.adapters.map(({ description }) => description).join(" and ");
        terminal.err(`host ready on ${adapters} in ${status.stateDirectory} (Ctrl-C ends it)`);
      }
      await end.signal;
    } finally {
      await host.stop();
    }
    return 0;
  } finally {
    end.dispose();
  }
}

/** @throws CommandError adapter-memory-count */
function adaptersOf({ adapter = ["best"], adapterMemory = [] }: HostCommand): readonly AdapterRequest[] {
  const [first] = adapterMemory;
  if (adapterMemory.length > 1 && adapterMemory.length !== adapter.length)
    throw new CommandError(
      "adapter-memory-count",
      `--adapter-memory was given ${adapterMemory.length} times, --adapter ${adapter.length} times`,
      "give it once for all, or once for each --adapter",
    );
  return adapter.map((wish, i) => {
    const memoryBytes = adapterMemory.length > 1 ? adapterMemory[i] : first;
    return { wish, ...(memoryBytes === undefined ? {} : { memoryBytes }) };
  });
}
