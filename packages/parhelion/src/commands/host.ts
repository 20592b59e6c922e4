/** `parhelion host`: the daemon, in the foreground. A service manager or a shell's `&` puts it where it belongs. */
import { createEngineLauncher } from "parhelion-engine";
import {
  type AdapterRequest,
  defaultLimits,
  type HostLimits,
  type MetricsAddress,
  startHost,
} from "parhelion-host";
import type { Address } from "../address.js";
import { CommandError } from "../command-error.js";
import { openLocalNode } from "../guest/local-node.js";
import type { LimitWish } from "../limit-option.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { logAt } from "../logging.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";

export interface HostCommand {
  readonly state?: string;
  readonly adapter?: readonly string[];
  /** Bytes, for all adapters or for each. */
  readonly adapterMemory?: readonly number[];
  readonly listen?: Address;
  readonly metrics?: Address;
  readonly metricsAnywhere?: boolean;
  readonly limit?: readonly LimitWish[];
  readonly forgetState?: boolean;
  readonly requireSandbox?: boolean;
  readonly logLevel: ChosenLogLevel;
  readonly json?: boolean;
}

export async function hostCommand(options: HostCommand, terminal: Terminal): Promise<number> {
  const end = untilAskedToEnd();
  try {
    const host = await startHost({
      launcher: createEngineLauncher(options.requireSandbox ? { sandbox: "required" } : {}),
      adapters: adaptersOf(options),
      openLocalNode: openLocalNode(logAt(options.logLevel)),
      logLevel: options.logLevel,
      forgetState: options.forgetState === true,
      ...(options.state === undefined ? {} : { stateDirectory: options.state }),
      ...(options.listen === undefined ? {} : { listen: options.listen }),
      ...(options.metrics === undefined ? {} : { metrics: metricsAddress(options.metrics, options) }),
      limits: limitsOf(options),
    });
    try {
      const status = await host.status();
      if (options.json)
        terminal.out(JSON.stringify({ event: "ready", metrics: host.metricsAddress, ...status }));
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

function metricsAddress(address: Address, { metricsAnywhere = false }: HostCommand): MetricsAddress {
  return { ...address, reach: metricsAnywhere ? "anywhere" : "loopback" };
}

/** @throws CommandError limit-unknown */
function limitsOf({ limit: wishes = [] }: HostCommand): Partial<HostLimits> {
  for (const { rule } of wishes)
    if (!Object.hasOwn(defaultLimits, rule))
      throw new CommandError(
        "limit-unknown",
        `there is no limit ${rule}`,
        `there are ${Object.keys(defaultLimits).join(", ")}`,
      );
  return Object.fromEntries(wishes.map(({ rule, limit }) => [rule, limit]));
}
