/**
 * Slices that the host itself uses: each has a holder of its own, whose kernel the host is given and which comes to it as any
 * guest's does, with a credential that nobody else has.
 */
import { mkdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isKernelError, type Named, noDeadline, type Runtime } from "parhelion-core";
import { Guest } from "../guests/guest.js";
import { HostError, messageOf } from "../host-error.js";
import { hashOf, type Secrets } from "../secrets.js";
import { checkSocketPath } from "../state/socket-path.js";
import { Task } from "../task.js";
import type { SlicePlace } from "./slice-entry.js";
import type { Tenure, Tenures } from "./tenures.js";

export interface LocalNodeRequest {
  /** UUID. */
  readonly slice: string;
  /** Where the node has to appear: $PARHELION_DIR of the programs that use it. */
  readonly directory: string;
  readonly credential: string;
  /** Path of the socket that its kernel connects to. */
  readonly vmbus: string;
}

export interface LocalNode {
  /** Returns when it serves nobody any more. */
  close(): Promise<void>;
}

/** Runs a guest kernel that serves the slice on this machine. Returns when the node is there. */
export type OpenLocalNode = (request: LocalNodeRequest) => Promise<LocalNode>;

export interface LocalNodesOptions {
  readonly runtime: Runtime;
  readonly secrets: Secrets;
  readonly tenures: Tenures;
  readonly open: OpenLocalNode;
  readonly vmbus: string;
  readonly directories: {
    /** @param slice UUID @returns its path */
    make(slice: string): Promise<string>;
    remove(directory: string): Promise<void>;
  };
}

const credentialBytes = 32;
/** How long a kernel in the host's own process may take to serve its node, or to leave it, in ms. */
const patienceMs = 10_000;

export class LocalNodes implements Named {
  readonly name = "local nodes";
  readonly #options: LocalNodesOptions;
  readonly #holders = new Set<Guest>();

  constructor(options: LocalNodesOptions) {
    this.#options = options;
  }

  byCredential(credential: string): Guest | undefined {
    const hash = hashOf(credential);
    let found: Guest | undefined;
    this.#access("read");
    for (const guest of this.#holders) if (guest.recognises(hash)) found = guest;
    return found;
  }

  /** @throws HostError local-node-failed, and what making the directory throws; nothing is left then */
  async take({ entry, adapter }: SlicePlace): Promise<Tenure> {
    const { runtime, secrets, tenures, open, vmbus, directories } = this.#options;
    const credential = secrets.hex(credentialBytes);
    const directory = await directories.make(entry.uuid);
    const holder = this.#holder(entry.uuid, credential, directory);
    this.#access("write");
    this.#holders.add(holder);
    const tenure = tenures.hand(adapter, { ...entry.record, index: 0 }, holder);
    const opening = new Task(runtime, `local node of slice ${entry.uuid}`, () =>
      open({ slice: entry.uuid, directory, credential, vmbus }),
    );
    const end = async (why: string) => {
      await tenure.end(why);
      await this.#close(holder, opening);
      await directories.remove(directory);
    };
    try {
      await opening.wait({ deadline: runtime.clock.now() + patienceMs });
    } catch (error) {
      await end("its node could not be opened");
      const why = isKernelError(error, "ETIMEDOUT") ? `not there within ${patienceMs} ms` : messageOf(error);
      throw new HostError(
        "local-node-failed",
        `the node of slice ${entry.uuid} could not be served: ${why}.`,
        {
          cause: error,
          details: { slice: entry.uuid, directory },
        },
      );
    }
    runtime.log("info", "slice.local", { slice: entry.uuid, directory });
    return { slice: tenure.slice, end };
  }

  async #close(holder: Guest, opening: Task<LocalNode>): Promise<void> {
    const { runtime } = this.#options;
    holder.leave();
    this.#access("write");
    this.#holders.delete(holder);
    const closing = new Task(runtime, `end of the local node of ${holder.id}`, async () => {
      const node = await opening.wait({ deadline: noDeadline });
      await node.close();
    });
    // What never came needs no closing.
    if (!(await closing.endsWithin(runtime, patienceMs)))
      runtime.log("warn", "slice.local-slow", { slice: holder.id, afterMs: patienceMs });
    holder.connection?.close("the slice is not used on the host any more");
  }

  #holder(slice: string, credential: string, directory: string): Guest {
    const record = {
      id: slice,
      name: "local",
      credentialHash: hashOf(credential),
      lifetime: "kept",
    } as const;
    const orphans = { orphanMs: Number.POSITIVE_INFINITY, orphaned: async () => undefined };
    return new Guest({ runtime: this.#options.runtime, record, directory, orphans });
  }

  #access(mode: "read" | "write"): void {
    this.#options.runtime.scheduler.access(this, mode);
  }
}

/** For slices that are used on this machine: a folder for each use. */
export type LocalFolder = "local" | "vfio";

/** `<state>/<folder>/<uuid>`, where nothing of a host that was killed is left. */
export function localDirectoriesIn(
  stateDirectory: string,
  folder: LocalFolder,
): LocalNodesOptions["directories"] {
  const all = join(stateDirectory, folder);
  return {
    async make(slice) {
      const directory = join(all, slice);
      checkSocketPath(join(directory, longestName));
      await removeDirectory(directory);
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return directory;
    },
    async remove(directory) {
      await removeDirectory(directory);
      // The last one takes it along.
      await rmdir(all).catch(() => undefined);
    },
  };
}

/** Removes what a host that was killed has left. Only with the state directory's lock held. */
export async function clearLocalDirectories(stateDirectory: string, folder: LocalFolder): Promise<void> {
  await removeDirectory(join(stateDirectory, folder));
}

const longestName = "dxg0";

async function removeDirectory(directory: string): Promise<void> {
  // A kernel that hears of the end just now may still write there.
  await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}
