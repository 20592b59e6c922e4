/** A tree in memory, a socket that serves it, and who asks. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { platformClock } from "../clock.js";
import { controlError } from "../messages/control-error.js";
import { SysClient } from "./client.js";
import { SYS_SOCKET, SysServer } from "./server.js";
import type { SysTree, SysUevent } from "./tree.js";

export class World {
  readonly path: string;
  readonly server: SysServer;
  readonly files: Map<string, string>;
  readonly #listeners: Set<(event: SysUevent) => void>;
  readonly #directory: string;
  readonly #clients: SysClient[] = [];

  private constructor(
    directory: string,
    server: SysServer,
    files: Map<string, string>,
    listeners: Set<(event: SysUevent) => void>,
  ) {
    this.#directory = directory;
    this.path = join(directory, SYS_SOCKET);
    this.server = server;
    this.files = files;
    this.#listeners = listeners;
  }

  /** @param over replaces parts of the tree */
  static async start(over: Partial<SysTree> = {}): Promise<World> {
    const directory = await mkdtemp(join(tmpdir(), "ph-sys-"));
    const files = new Map<string, string>();
    const listeners = new Set<(event: SysUevent) => void>();
    const server = await SysServer.listen({
      path: join(directory, SYS_SOCKET),
      clock: platformClock,
      source: {
        name: "here",
        tree: { ...treeOf(files), ...over },
        onUevent: (listener) => {
          listeners.add(listener);
          return () => listeners.delete(listener);
        },
      },
    });
    return new World(directory, server, files, listeners);
  }

  get monitors(): number {
    return this.#listeners.size;
  }

  async client(timeoutMs = 30_000): Promise<SysClient> {
    const client = await SysClient.connect(this.path, { timeoutMs });
    this.#clients.push(client);
    return client;
  }

  send(seqnum: number, subsystem = "toys", padding = ""): void {
    const keys = [
      ["ACTION", "change"],
      ["PADDING", padding],
      ["SEQNUM", String(seqnum)],
    ] as const;
    for (const listener of this.#listeners) listener({ subsystem, keys });
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.server.close("the test is over");
    await rm(this.#directory, { recursive: true });
  }
}

/** One directory of files, and a link to it. */
function treeOf(files: Map<string, string>): SysTree {
  const missing = (path: string) => controlError("ENOENT", `${path}: there is no such thing`);
  return {
    list(path) {
      if (path !== "/sys") throw missing(path);
      return [...files.keys()].map((file) => file.slice("/sys/".length));
    },
    stat(path) {
      if (path === "/sys/again") return { kind: "link", mode: 0o777 };
      if (path === "/sys") return { kind: "directory", mode: 0o755 };
      if (!files.has(path)) throw missing(path);
      return { kind: "file", mode: 0o644 };
    },
    readlink: () => ".",
    async read(path) {
      const value = files.get(path);
      if (value === undefined) throw missing(path);
      return value;
    },
    async write(path, value) {
      if (!files.has(path)) throw missing(path);
      files.set(path, value);
    },
  };
}

/** @throws when it does not come about within half a minute */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error(`it did not come about that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
