/**
 * Recorded frames of the connection between guest and host: each message of VMBus's own, each command and its completion, as a
 * released protocol framed it. What the bodies in them mean is recorded with the messages; here they are bytes.
 */
import { Duplex } from "node:stream";
import { createRuntime } from "parhelion-core";
import {
  ErrorDetail,
  guestCommand,
  type Notice,
  NtStatus,
  pciCommand,
  vgpuCommand,
  vmbusMessage,
  vmCommand,
} from "parhelion-protocol";
import { type LinkHandlers, VmbusLink } from "./link.js";
import { ChannelType, encodeCommand, encodeCompletion } from "./packet.js";

export interface GoldenFrame {
  /** Of a message's table, and the message in it. */
  readonly space: string;
  readonly name: string;
  readonly type: number;
  /** Of a packet that names whose it is: the slice, and the generation as digits. */
  readonly slice?: string;
  readonly generation?: string;
  readonly part: "message" | "request" | "notice" | "reply" | "refusal";
  /** Hexadecimal, as are the bytes. */
  readonly body: string;
  readonly bytes: string;
}

/** What every recorded frame says besides. */
export const RELID = 7;
export const TRANSACTION = 0x1_0000_0005n;
export const PROCESS = 0x4001;
const identity = { slice: "00112233-4455-6677-8899-aabbccddeeff", generation: 0x2_0000_0003n };

interface Coded {
  readonly encode: (value: object) => Uint8Array;
}
interface Message {
  readonly type: number;
  readonly name: string;
  readonly body?: Coded;
  readonly request?: Coded;
  readonly reply?: Coded;
}

/** Tables of commands with who speaks in them. */
export const commandSpaces: Readonly<Record<string, readonly [channelType: number, table: object]>> = {
  vmCommand: [ChannelType.VM_TO_HOST, vmCommand],
  vgpuCommand: [ChannelType.VGPU_TO_HOST, vgpuCommand],
  guestCommand: [ChannelType.HOST_TO_VM, guestCommand],
  pciCommand: [ChannelType.VGPU_TO_HOST, pciCommand],
};

export const messagesOf = (table: object): readonly Message[] => Object.values(table) as Message[];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Keeps what a link sends, and brings it what a test gives. */
export class Wire extends Duplex {
  readonly #sent: Uint8Array[] = [];

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.#sent.push(Uint8Array.from(chunk));
    done();
  }

  sent(): Uint8Array {
    return Buffer.concat(this.#sent.splice(0));
  }
}

export function linkOn(wire: Wire, handlers: Partial<LinkHandlers> = {}): VmbusLink {
  const nothing = { message() {}, packet() {}, closed() {} };
  const options = { peer: "the other end", whenBackedUp: "read" } as const;
  return new VmbusLink(createRuntime(), wire, options, { ...nothing, ...handlers });
}

/** All messages with all fields at their defaults: what stands in front of bodies is the same for any. */
export function recordFrames(): readonly GoldenFrame[] {
  const wire = new Wire();
  const link = linkOn(wire);
  const frames: GoldenFrame[] = [];
  for (const notice of Object.values(vmbusMessage) as Notice<object>[]) {
    const { type, name, body } = notice;
    link.sendMessage(notice, {});
    const bytes = hex(wire.sent());
    frames.push({ space: "vmbusMessage", name, type, part: "message", body: hex(body.encode({})), bytes });
  }
  for (const [space, [channelType, table]] of Object.entries(commandSpaces)) {
    for (const message of messagesOf(table)) {
      const { type, name } = message;
      const keep = (part: GoldenFrame["part"], body: Uint8Array, packet: Uint8Array): void => {
        link.sendPacket(RELID, packet);
        const whose = { slice: identity.slice, generation: String(identity.generation) };
        frames.push({ space, name, type, part, ...whose, body: hex(body), bytes: hex(wire.sent()) });
      };
      const asked = (message.request ?? message.body)?.encode({}) ?? new Uint8Array(0);
      const command = { process: PROCESS, channelType, type, body: asked };
      if (message.reply === undefined) {
        keep("notice", asked, encodeCommand(command, 0n, identity));
        continue;
      }
      keep("request", asked, encodeCommand(command, TRANSACTION, identity));
      const reply = message.reply.encode({});
      keep("reply", reply, encodeCompletion(TRANSACTION, NtStatus.SUCCESS, reply, identity));
      const refusal = ErrorDetail.encode({
        text: "the limit is reached",
        privateData: Uint8Array.of(1, 2, 3),
      });
      keep("refusal", refusal, encodeCompletion(TRANSACTION, NtStatus.QUOTA_EXCEEDED, refusal, identity));
    }
  }
  link.close(new Error("recorded"));
  return frames;
}
