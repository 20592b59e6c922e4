/**
 * Sits on a socket between two processes and sees every message before its receiver does: there somebody can be killed at exactly
 * that step. What was not understood as a message passes as it came.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { SizedFrames } from "parhelion-protocol";

/** @param step which message this is, for example "dxg0 up 0x2 #1": the socket, the direction, the type, which of those */
export type OnStep = (step: string) => void;

const leastFrame = 8;
const mostFrame = 8 * 2 ** 20;
/** A queue's socket carries what its carrier likes: there a step is a piece as it comes, and as many of them are. */
const queuePieces = 6;

export class Tap {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #counts = new Map<string, number>();

  private constructor(path: string, target: string, name: string, onStep: OnStep) {
    this.path = path;
    this.#server = createServer((near) => {
      const far = connect(target);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      this.#carry(near, far, name, "up", onStep);
      this.#carry(far, near, name, "down", onStep);
    });
  }

  /** @param name of the steps; those of a queue begin with "q" */
  static async open(path: string, target: string, name: string, onStep: OnStep): Promise<Tap> {
    await rm(path, { force: true });
    const tap = new Tap(path, target, name, onStep);
    tap.#server.listen(path);
    await once(tap.#server, "listening");
    return tap;
  }

  /** From here on the same message is the first of its kind again. */
  forget(): void {
    this.#counts.clear();
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    await rm(this.path, { force: true });
  }

  #carry(from: Socket, to: Socket, name: string, direction: "up" | "down", onStep: OnStep): void {
    const frames = new SizedFrames(leastFrame, mostFrame);
    const isQueue = name.startsWith("q");
    let seen = 0;
    from.on("data", (chunk) => {
      if (isQueue) {
        seen += 1;
        if (seen <= queuePieces) onStep(this.#named(`${name} ${direction} piece`));
        to.write(chunk);
        return;
      }
      frames.push(chunk);
      for (let frame = frames.next(); frame !== null; frame = frames.next()) {
        onStep(this.#named(`${name} ${direction} ${kindOf(name, frame)}`));
        to.write(frame);
      }
    });
    from.on("end", () => to.end());
  }

  #named(kind: string): string {
    const number = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, number);
    return `${kind} #${number}`;
  }
}

/** The same message gets the same name in every session: nothing of its contents that chance decides is in it. */
function kindOf(name: string, frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const hex = (value: number) => `0x${value.toString(16)}`;
  if (name !== "vmbus")
    return `${hex(view.getUint16(4, true))}${view.getUint16(6, true) === 0 ? "" : " reply"}`;
  if (view.getUint32(4, true) === 0) return `message ${hex(view.getUint32(8, true))}`;
  // Behind size and relid: the packet's type, and the command's behind its descriptor.
  if (view.getUint16(8, true) === PacketType.COMPLETION) return "completion";
  return `command ${hex(view.getUint32(8 + 16 + 16, true))}`;
}

/** See buses/src/vmbus/packet.ts. */
const PacketType = { COMPLETION: 0xb } as const;
