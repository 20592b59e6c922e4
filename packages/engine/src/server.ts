/** Where applications reach their queues: a Unix socket that exists exactly as long as the engine listens. */
import { lstatSync, unlinkSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { MAX_SOCKET_PATH_BYTES } from "./limits.js";
import { Refusal } from "./refusal.js";

export interface QueueServer {
  readonly path: string;
  /** Stops listening, closes what has no queue yet and removes the socket. Safe to call twice and from an exit handler. */
  close(): void;
}

export interface QueueServerOptions {
  readonly path: string;
  /** Most connections at once. */
  readonly connections: number;
  /** Gets the socket paused. */
  readonly onConnection: (socket: Socket) => void;
}

/** @throws Refusal `bad-queue-path` when nothing can listen there, with the reason */
export async function listenForQueues(options: QueueServerOptions): Promise<QueueServer> {
  const { path } = options;
  checkPath(path);
  removeStale(path);
  // Paused: what comes first may bring a descriptor, which Node's own reading would lose.
  const server = createServer({ pauseOnConnect: true }, options.onConnection);
  server.maxConnections = options.connections;
  await listen(server, path);
  return {
    path,
    close: () => {
      if (!server.listening) return;
      // Node removes the socket when it closes the server, synchronously.
      server.close();
    },
  };
}

function checkPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (path.startsWith("/") && bytes <= MAX_SOCKET_PATH_BYTES && !path.includes("\0")) return;
  throw new Refusal(
    "bad-queue-path",
    `the queue socket's path must be absolute and at most ${MAX_SOCKET_PATH_BYTES} bytes, is ${bytes}: ${path.slice(0, 200)}. Choose a shorter state directory.`,
  );
}

/** An engine that was killed leaves its socket behind. Anything else in that place is not ours to remove. */
function removeStale(path: string): void {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  if (!status.isSocket()) throw new Refusal("bad-queue-path", `${path} exists and is not a socket`);
  unlinkSync(path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) =>
      reject(new Refusal("bad-queue-path", `cannot listen on ${path}: ${error.message}`));
    server.once("error", refuse);
    // The token is what admits; the mode keeps other users from even trying. `listen` binds synchronously.
    const before = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off("error", refuse);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}
