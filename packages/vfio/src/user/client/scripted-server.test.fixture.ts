/** A server of the protocol that does what its test tells it, right or wrong. It shares no code with the one that is tested elsewhere. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRuntime, type LogRecord, type Runtime } from "parhelion-core";
import { message, versionBody } from "../client.test.fixture.js";
import { VfioUserDevice } from "./device.js";
import type { VfioUserConnectOptions } from "./options.js";

export interface Asked {
  readonly id: number;
  readonly command: number;
  readonly body: Buffer;
}

/** What the server does with a command; "as usual": VERSION is agreed on, everything else is answered with nothing. */
export type Script = (asked: Asked, server: ScriptedServer) => "as usual" | undefined;

export class ScriptedServer {
  readonly path: string;
  readonly runtime: Runtime;
  readonly log: LogRecord[] = [];
  readonly asked: Asked[] = [];
  /** What the client answers, as [id, errno]. */
  readonly answers: (readonly [number, number])[] = [];
  readonly capabilities: object;
  readonly #directory = mkdtempSync(join(tmpdir(), "parhelion-scripted-"));
  readonly #server: Server;
  readonly #script: Script;
  #socket: Socket | null = null;
  #wake: () => void = () => undefined;

  private constructor(script: Script, capabilities: object) {
    this.path = join(this.#directory, "device.sock");
    this.runtime = createRuntime({ log: (record) => void this.log.push(record) });
    this.#script = script;
    this.capabilities = capabilities;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async listen(script: Script = () => "as usual", capabilities: object = {}): Promise<ScriptedServer> {
    const server = new ScriptedServer(script, capabilities);
    await new Promise<void>((resolve) => server.#server.listen(server.path, resolve));
    return server;
  }

  connect(options: VfioUserConnectOptions = {}): Promise<VfioUserDevice> {
    return VfioUserDevice.connect(this.runtime, this.path, options);
  }

  reply({ id, command }: Asked, body: Uint8Array = Buffer.alloc(0)): void {
    this.raw(message(id, command, 1, body));
  }

  refuse({ id, command }: Asked, errno: number): void {
    this.raw(message(id, command, 0x21, Buffer.alloc(0), errno));
  }

  raw(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }

  hangUp(): void {
    this.#socket?.destroy();
  }

  /** Reads nothing, until `resume`. */
  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  /** Settles when so many commands and answers have come. */
  async heard(count: number): Promise<void> {
    while (this.asked.length + this.answers.length < count)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  async end(): Promise<void> {
    this.#socket?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    rmSync(this.#directory, { recursive: true });
  }

  #serve(socket: Socket): void {
    this.#socket = socket;
    let bytes = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (more) => {
      bytes = Buffer.concat([bytes, more]);
      while (bytes.length >= 16 && bytes.length >= bytes.readUInt32LE(4)) {
        const one = bytes.subarray(0, bytes.readUInt32LE(4));
        bytes = bytes.subarray(one.length);
        const isAnswer = (one.readUInt32LE(8) & 1) !== 0;
        if (isAnswer) this.answers.push([one.readUInt16LE(0), one.readUInt32LE(12)]);
        else this.#take({ id: one.readUInt16LE(0), command: one.readUInt16LE(2), body: one.subarray(16) });
        this.#wake();
      }
    });
  }

  #take(asked: Asked): void {
    this.asked.push(asked);
    const what = this.#script(asked, this);
    if (what === "as usual")
      this.reply(asked, asked.command === 1 ? versionBody(this.capabilities) : Buffer.alloc(0));
  }
}
