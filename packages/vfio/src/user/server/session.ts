/**
 * One client, from its first message to its end. Commands are done one after the other, in the order in which they came, as the
 * protocol has it; answers to what the server asks are taken as they come. Whatever ends it, the device is closed, and nothing of
 * what the client has lent stays here.
 */
import { isKernelError, KernelError, noDeadline, type Runtime, WaitQueue } from "parhelion-core";
import type { AttachedDevice } from "../../iommufd/attached-device.js";
import type { ClientSocket, FrameReceiver } from "../socket/client-socket.js";
import { commandName } from "../wire/commands.js";
import type { DmaMap } from "../wire/dma.js";
import type { Broken, Frame } from "../wire/frames.js";
import { encodeError, encodeReply, type Header } from "../wire/header.js";
import { defaultDataBytes } from "../wire/limits.js";
import { decodeRequest, type Request } from "../wire/request.js";
import { Backlog, mostWaiting } from "./backlog.js";
import { ClientMemory } from "./client-memory.js";
import type { Descriptors } from "./descriptors.js";
import { DeviceCommands } from "./device-commands.js";
import { agree, mayBeQemu } from "./negotiation.js";
import type { Patience } from "./options.js";
import { Questions } from "./questions.js";

export interface SessionInit {
  readonly runtime: Runtime;
  /** For the log. */
  readonly name: string;
  readonly socket: ClientSocket;
  /** Null: the client's descriptors can't be taken. */
  readonly descriptors: Descriptors | null;
  readonly patience: Patience;
  /** Opens the device for this client. */
  open(): Promise<AttachedDevice>;
  memory(map: DmaMap): "descriptor" | "message";
}

export class Session implements FrameReceiver {
  readonly #init: SessionInit;
  readonly #arrived: WaitQueue;
  readonly #questions: Questions;
  readonly #waiting = new Backlog();
  /** Why the client can't be followed, once what came before is done. */
  #broken: Broken | null = null;
  #ending: KernelError | null = null;
  /** The client has hung up: what it has sent is done until that deadline. */
  #hungUp: { readonly reason: KernelError; readonly deadline: number } | null = null;
  #user: AttachedDevice | null = null;
  #memory: ClientMemory | null = null;
  #commands: DeviceCommands | null = null;

  constructor(init: SessionInit) {
    const { runtime, name, socket, patience } = init;
    this.#init = init;
    this.#arrived = new WaitQueue(runtime, `commands of ${name}`);
    this.#questions = new Questions(
      runtime,
      (bytes) => socket.send(bytes),
      patience.dmaMs,
      () => this.#regulate(),
    );
  }

  /** "ending": no commands come any more. */
  get state(): "serving" | "ending" {
    return this.#ending === null && this.#hungUp === null ? "serving" : "ending";
  }

  /** Serves until the client goes, is sent away, or breaks the protocol. Settles when the device is closed. */
  async run(): Promise<void> {
    const { socket, runtime, name } = this.#init;
    socket.start(this);
    try {
      await this.#greet();
      while (await this.#next()) await this.#serve();
    } catch (error) {
      this.end(error);
    }
    await this.#cleanUp();
    runtime.log("info", "vfio-user.client-gone", { client: name, why: this.#ending?.message });
  }

  /** Sends the client away: what is under way is answered first, with an error where the device is gone. */
  end(reason: unknown): void {
    this.#ending ??= isKernelError(reason)
      ? reason
      : new KernelError("ECONNRESET", reason instanceof Error ? reason.message : String(reason), {
          cause: reason,
        });
    this.#questions.end(this.#ending);
    this.#arrived.wake();
  }

  /** Takes what the client has sent by now, its hanging up included. */
  look(): void {
    this.#init.socket.look();
  }

  frame(frame: Frame): void {
    if (frame.header.type === "reply") {
      this.#drop(frame);
      // An answer that comes too late is nobody's.
      this.#questions.answer(frame);
      return;
    }
    if (this.#ending !== null) {
      this.#drop(frame);
      return;
    }
    this.#waiting.push(frame);
    if (this.#waiting.state === "beyond") this.#cutOff(frame.header);
    else this.#regulate();
    this.#arrived.wake();
  }

  broken(broken: Broken): void {
    this.#broken = broken;
    this.#arrived.wake();
  }

  ended(error: Error | null): void {
    if (error !== null) {
      this.end(new KernelError("ECONNRESET", error.message, { cause: error }));
      return;
    }
    // What it sent before is done, as of whoever writes to a device and closes it; it can be asked for nothing any more.
    const { runtime, patience } = this.#init;
    const reason = new KernelError("ECONNRESET", "the client hung up");
    this.#hungUp = { reason, deadline: runtime.clock.now() + patience.commandMs };
    this.#questions.end(reason);
    this.#arrived.wake();
  }

  /** The first message, which says the version. */
  async #greet(): Promise<void> {
    const { runtime, patience } = this.#init;
    if (!(await this.#next(runtime.clock.now() + patience.negotiateMs))) return;
    const frame = this.#take();
    try {
      const request = decodeRequest(frame, defaultDataBytes);
      if (request.command !== "VERSION")
        throw new KernelError("EINVAL", `${request.command}: the first message must be VERSION`);
      const { reply, pieceBytes, dataBytes } = agree(request.version, this.#init.descriptors !== null);
      if (mayBeQemu(request.version)) this.#questions.client = "answers anything";
      await this.#begin(pieceBytes, dataBytes);
      this.#answer(frame.header, reply);
    } catch (error) {
      this.#drop(frame);
      this.#refuse(frame.header, error);
      throw error;
    }
  }

  /** @param pieceBytes most data in one message to the client */
  async #begin(pieceBytes: number, dataBytes: number): Promise<void> {
    const { descriptors, runtime } = this.#init;
    const user = await this.#init.open();
    this.#user = user;
    const questions = this.#questions;
    const way = (map: DmaMap): "descriptor" | "message" => this.#init.memory(map);
    const closeFd = (fd: number): void => descriptors?.close(fd);
    const isSealable = (fd: number): boolean => descriptors?.isSealable(fd) ?? false;
    const memory = new ClientMemory({ user, questions, pieceBytes, way, closeFd, isSealable });
    this.#memory = memory;
    this.#commands = new DeviceCommands({
      runtime,
      user,
      memory,
      questions,
      descriptors,
      dataBytes,
      pieceBytes,
    });
  }

  /** Waits for a command. False: there will be none. @throws KernelError ETIMEDOUT, and EMSGSIZE what came was none */
  async #next(deadline = Number.POSITIVE_INFINITY): Promise<boolean> {
    const ready = (): boolean => this.#waiting.length > 0 || this.state === "ending" || this.#broken !== null;
    await this.#arrived.wait(ready, { deadline });
    const { runtime } = this.#init;
    const over = this.#waiting.length === 0 || runtime.clock.now() >= (this.#hungUp?.deadline ?? noDeadline);
    if (this.#hungUp !== null && over) this.end(this.#hungUp.reason);
    if (this.#ending !== null) return false;
    if (this.#waiting.length > 0) return true;
    if (this.#broken !== null) {
      this.#refuse(this.#broken.header, this.#broken.error);
      throw this.#broken.error;
    }
    return false;
  }

  #take(): Frame {
    const frame = this.#waiting.shift();
    this.#regulate();
    return frame;
  }

  /** A client that sends faster than is done waits, unless the device waits for it: its answer may stand behind its commands. */
  #regulate(): void {
    const { socket } = this.#init;
    const { state } = this.#waiting;
    if (this.#questions.state === "asked" || state === "room") socket.resume();
    else if (state === "full") socket.hold();
  }

  #cutOff(header: Header): void {
    const { commands, bytes, descriptors } = mostWaiting;
    const limits = `${commands} commands, ${bytes} bytes and ${descriptors} descriptors`;
    const error = new KernelError("ENOBUFS", `the client sends more than ${limits} before it answers`);
    this.#refuse(header, error);
    this.end(error);
  }

  async #serve(): Promise<void> {
    const { runtime, patience, socket } = this.#init;
    const frame = this.#take();
    let request: Exclude<Request, { readonly command: "VERSION" }>;
    try {
      request = this.#decode(frame);
    } catch (error) {
      this.#drop(frame);
      this.#refuse(frame.header, error);
      return;
    }
    try {
      const commands = this.#commands as DeviceCommands;
      const deadline = this.#hungUp?.deadline ?? runtime.clock.now() + patience.commandMs;
      this.#answer(frame.header, await commands.run(request, { deadline }));
    } catch (error) {
      this.#refuse(frame.header, error);
    }
    await socket.drained({ deadline: runtime.clock.now() + patience.drainMs });
  }

  #decode(frame: Frame): Exclude<Request, { readonly command: "VERSION" }> {
    const request = decodeRequest(frame, (this.#commands as DeviceCommands).dataBytes);
    if (request.command === "VERSION") throw new KernelError("EINVAL", "VERSION: it was agreed on already");
    return request;
  }

  #answer({ id, command, answer }: Header, body: Uint8Array): void {
    if (answer === "wanted") this.#init.socket.send(encodeReply(id, command, body));
  }

  #refuse({ id, command, answer, type }: Header, error: unknown): void {
    const { runtime, name, socket } = this.#init;
    const fields = { client: name, command: commandName(command) ?? command, error };
    if (isKernelError(error)) runtime.log("debug", "vfio-user.refused", fields);
    else runtime.log("error", "vfio-user.command-failed", fields);
    if (answer === "unwanted" && type === "command") return;
    socket.send(encodeError(id, command, isKernelError(error) ? error.errno : EIO));
  }

  #drop({ fds }: Frame): void {
    for (const fd of fds) this.#init.descriptors?.close(fd);
  }

  async #cleanUp(): Promise<void> {
    const { socket, runtime, name, patience } = this.#init;
    for (const frame of this.#waiting.clear()) this.#drop(frame);
    const failed = (error: unknown): void =>
      runtime.log("error", "vfio-user.close-failed", { client: name, error });
    try {
      await this.#user?.close({ deadline: runtime.clock.now() + patience.openMs });
    } catch (error) {
      failed(error);
    }
    this.#memory?.close();
    try {
      await socket.close();
    } catch (error) {
      failed(error);
    }
  }
}

const EIO = 5;
