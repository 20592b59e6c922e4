/**
 * Keeps two writers apart. A name in Linux's abstract socket namespace, made of the file's device and inode: the kernel lets one process
 * have it and takes it back when that process dies, however it dies, so there is no stale lock. It holds within one network
 * namespace; writers in different containers are not kept apart.
 */
import { createServer, type Server } from "node:net";
import { ImageError } from "./error.js";

export interface ImageLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/** @throws ImageError image-locked */
export async function lockForWriting(path: string, identity: string): Promise<ImageLock> {
  const server = createServer((socket) => socket.destroy());
  // A lock alone is no reason for a process to live on.
  server.unref();
  await new Promise<void>((done, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const held = error.code === "EADDRINUSE";
      failed(
        new ImageError(
          held ? "image-locked" : "image-io",
          { file: path },
          held
            ? "somebody else has it open for writing"
            : `it can't be locked (${error.code ?? error.message})`,
          { cause: error },
        ),
      );
    });
    server.listen(`\0parhelion-disk-image/${identity}`, done);
  });
  let closing: Promise<void> | undefined;
  return {
    release: () => {
      closing ??= closed(server);
      return closing;
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((done) => server.close(() => done()));
}
