/** `parhelion host`: the daemon, in the foreground. A service manager or a shell's `&` puts it where it belongs. */
import { createEngineLauncher } from "parhelion-engine";
import { type AdapterWish, startHost } from "parhelion-host";
import type { Address } from "../address.js";
import type { ChosenLogLevel } from "../log-levels.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";

export interface HostCommand {
  readonly state?: string;
  readonly adapter: string;
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
      adapter: options.adapter as AdapterWish,
      logLevel: options.logLevel,
      forgetState: options.forgetState === true,
      ...(options.state === undefined ? {} : { stateDirectory: options.state }),
      ...(options.listen === undefined ? {} : { listen: options.listen }),
    });
    try {
      const status = await host.status();
      if (options.json) terminal.out(JSON.stringify({ event: "ready", ...status }));
      else if (terminal.watched) {
        const [adapter] = status.adapters;
        terminal.err(
          `host ready on ${adapter?.description ?? "no adapter"} in ${status.stateDirectory} (Ctrl-C ends it)`,
        );
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
