/** The way to a server: its socket, and what the two agree on. */
import { connect, type Socket } from "node:net";
import {
  Completion,
  Errno,
  type ErrnoCode,
  isKernelError,
  KernelError,
  type Runtime,
  type WaitOptions,
} from "parhelion-core";
import { defaultDataBytes } from "../wire/limits.js";
import { type Capabilities, decodeVersion, defaultCapabilities, encodeVersion } from "../wire/version.js";
import type { Conversation } from "./conversation.js";

/** sizeof(sockaddr_un.sun_path), less the NUL. */
const maxPathBytes = 107;
const major = 0;
const minor = 2;
/** What is told of ourselves: nothing that a server could not do without. */
const named = ["max_msg_fds", "max_data_xfer_size", "pgsizes", "migration", "write_multiple"];

/** @throws KernelError ENAMETOOLONG, ENOENT, ECONNREFUSED nobody listens, EACCES, ETIMEDOUT, and EIO for what else the system says */
export async function connectTo(runtime: Runtime, path: string, options: WaitOptions): Promise<Socket> {
  const bytes = Buffer.byteLength(path);
  if (bytes === 0 || bytes > maxPathBytes)
    throw new KernelError(
      "ENAMETOOLONG",
      `socket path ${path}: ${bytes} bytes; 1 … ${maxPathBytes} are possible`,
    );
  const connected = new Completion(runtime, `connection to ${path}`);
  const socket = connect({ path });
  socket.once("connect", () => connected.completeAll());
  socket.on("error", (error) => connected.fail(failureOf(path, error)));
  try {
    await connected.wait(options);
    socket.pause();
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

export interface Agreed {
  readonly server: Capabilities;
  /** Most data in one message, either way. */
  readonly dataBytes: number;
}

/** VERSION. @throws KernelError EBUSY it has a client, EPROTO another version, and what else it answers */
export async function agreeOn(
  conversation: Conversation,
  name: string,
  options: WaitOptions,
): Promise<Agreed> {
  const capabilities: Capabilities = { ...defaultCapabilities, maxMessageFds: 0, writeMultiple: "supported" };
  const body = encodeVersion({ major, minor, capabilities, named });
  const answer = await conversation.ask("VERSION", body, decodeVersion, options).catch((error: unknown) => {
    if (!isKernelError(error, "EBUSY")) throw error;
    throw new KernelError("EBUSY", `${name} has a client already, and takes one at a time`, { cause: error });
  });
  if (answer.major !== major || answer.minor > minor)
    throw new KernelError(
      "EPROTO",
      `${name} speaks version ${answer.major}.${answer.minor}; up to ${major}.${minor} is known here`,
    );
  const server = answer.capabilities;
  return { server, dataBytes: Math.min(server.maxDataBytes, defaultDataBytes) };
}

function failureOf(path: string, error: Error): KernelError {
  const { code = "" } = error as NodeJS.ErrnoException;
  const known = Object.hasOwn(Errno, code) ? (code as ErrnoCode) : "EIO";
  return new KernelError(known, `${path}: ${reasons[code] ?? error.message}`, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such socket; is the device served?",
  ECONNREFUSED: "nobody listens there any more; serve the device again",
  EACCES: "only who serves the device may connect, until the socket's mode is changed",
};
