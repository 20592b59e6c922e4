/** What the ports of a served card are plugged into, as somebody wrote it down, and everything that has to be closed for that. */
import { createServer, type Server } from "node:net";
import { Completion, KernelError, type Named, type Runtime } from "parhelion-core";
import { listenAt } from "../../user/server/listen.js";
import { idleInputs } from "./line.js";
import { LoopBackPlug } from "./loop-back-plug.js";
import { openPty, type PtyLibrary } from "./pty.js";
import type { SerialPort } from "./serial-device.js";
import { StreamLine } from "./stream-line.js";

/** "unix": whoever connects to the socket, one at a time. */
export type LineChoice =
  | { readonly kind: "loop-back" }
  | { readonly kind: "pty" }
  | { readonly kind: "unix"; readonly path: string };

/** @throws KernelError EINVAL */
export function parseLine(text: string): LineChoice {
  if (text === "loop-back" || text === "pty") return { kind: text };
  const path = /^unix:(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { kind: "unix", path };
  throw new KernelError(
    "EINVAL",
    `a port is plugged into loop-back, pty or unix:PATH, not ${JSON.stringify(text)}`,
  );
}

/** Something that a port is plugged into. */
export interface PluggedLine {
  /** Where programs of this machine reach it; null: nowhere. */
  readonly path: string | null;
  close(): Promise<void>;
}

export interface LinesInit {
  readonly runtime: Runtime;
  /** Undefined: there is none, and so no pty. */
  readonly koffi: PtyLibrary | undefined;
}

/** @throws KernelError ENODEV no pseudo-terminal can be had here; and as `listenAt` */
export async function plugLine(
  { runtime, koffi }: LinesInit,
  port: SerialPort,
  choice: LineChoice,
): Promise<PluggedLine> {
  switch (choice.kind) {
    case "loop-back":
      port.plug(new LoopBackPlug(port));
      return { path: null, close: async () => undefined };
    case "pty": {
      if (koffi === undefined)
        throw new KernelError(
          "ENODEV",
          "a pseudo-terminal needs koffi, which does not load here; use unix:PATH",
        );
      const { path, stream, close } = openPty(koffi);
      port.plug(new StreamLine(runtime, port, stream, () => port.inputs(idleInputs)));
      return { path, close: async () => close() };
    }
    case "unix":
      return SocketLine.listen(runtime, port, choice.path);
  }
}

/** The line of one port goes to whoever is connected; without anybody it is dead. */
class SocketLine implements Named, PluggedLine {
  readonly name: string;
  readonly path: string;
  readonly #runtime: Runtime;
  readonly #port: SerialPort;
  readonly #server: Server;
  #line: StreamLine | null = null;

  private constructor(runtime: Runtime, port: SerialPort, path: string) {
    this.name = `line ${path}`;
    this.path = path;
    this.#runtime = runtime;
    this.#port = port;
    this.#server = createServer((socket) => {
      this.#access("write");
      // The first one has it until he leaves.
      if (this.#line !== null) return void socket.destroy();
      const line = new StreamLine(runtime, port, socket, () => this.#left(line));
      this.#line = line;
      port.plug(line);
    });
  }

  static async listen(runtime: Runtime, port: SerialPort, path: string): Promise<SocketLine> {
    const made = new SocketLine(runtime, port, path);
    await listenAt(made.#server, path, (error) =>
      runtime.log("error", "serial.accept-failed", { path, error }),
    );
    return made;
  }

  async close(): Promise<void> {
    const closed = new Completion(this.#runtime, `end of ${this.name}`);
    this.#server.close(() => closed.completeAll());
    this.#access("read");
    this.#line?.close();
    await closed.wait();
  }

  #left(line: StreamLine): void {
    this.#access("write");
    if (this.#line !== line) return;
    this.#line = null;
    this.#port.inputs(idleInputs);
  }

  #access(mode: "read" | "write"): void {
    this.#runtime.scheduler.access(this, mode);
  }
}
