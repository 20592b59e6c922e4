/** `parhelion adapter`: the adapters of a host, taken away and added while it runs. */
import { SliceAccess, withHost } from "../slice/slice-access.js";
import type { Terminal } from "../terminal.js";
import { adaptersView } from "../views/slice.js";

interface About {
  readonly state?: string;
  readonly json?: boolean;
}

export async function adapterList(options: About, terminal: Terminal): Promise<number> {
  const adapters = await withHost(options.state, (host) => new SliceAccess(host).adapters());
  terminal.out(options.json === true ? JSON.stringify(adapters, null, 2) : adaptersView(adapters));
  return 0;
}

export interface AdapterAddCommand extends About {
  readonly adapter?: string;
  readonly memory?: number;
}

export async function adapterAdd(
  name: string | undefined,
  options: AdapterAddCommand,
  terminal: Terminal,
): Promise<number> {
  const { adapter, memory: memoryBytes } = options;
  const added = await withHost(options.state, (host) =>
    new SliceAccess(host).addAdapter({ name, adapter, memoryBytes }),
  );
  terminal.out(options.json === true ? JSON.stringify(added, null, 2) : added.name);
  return 0;
}

export async function adapterRemove(name: string, options: About, terminal: Terminal): Promise<number> {
  await withHost(options.state, (host) => new SliceAccess(host).removeAdapter(name));
  if (options.json === true) terminal.out(JSON.stringify({ removed: name }));
  return 0;
}
