/** The directory in which a guest's nodes are sockets. One guest kernel at a time has it. */
import { once } from "node:events";
import { mkdir, readdir, rm } from "node:fs/promises";
import net from "node:net";
import path from "node:path";
import { KernelError } from "parhelion-core";
import { CONTROL_NODE, MAX_VGPUS } from "./dxg/node.js";

/** sun_path has 108 bytes, the last one is the end. */
const maxSocketPath = 107;

/**
 * Makes the directory if need be and clears away what an earlier guest kernel left.
 * @throws KernelError EINVAL its path is too long for sockets, EBUSY a guest kernel has it; the operating system's errors
 */
export async function claimRunDirectory(directory: string): Promise<void> {
  const longest = path.join(directory, `${CONTROL_NODE}${MAX_VGPUS}`);
  const bytes = Buffer.byteLength(longest);
  if (bytes > maxSocketPath) {
    throw new KernelError(
      "EINVAL",
      `${longest} has ${bytes} bytes, the limit for a socket's path is ${maxSocketPath}; choose a shorter run directory`,
    );
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (await answers(path.join(directory, CONTROL_NODE))) {
    throw new KernelError(
      "EBUSY",
      `a guest kernel runs in ${directory} already; stop it or choose another directory`,
    );
  }
  for (const name of await readdir(directory)) {
    if (/^(dxg\d*|sys|attributes\.json(\.new)?)$/.test(name))
      await rm(path.join(directory, name), { force: true });
  }
}

async function answers(socketPath: string): Promise<boolean> {
  const socket = net.connect(socketPath);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
