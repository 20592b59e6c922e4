/** The host's own control socket. Whoever can open it owns the host, so it lies in a directory of mode 0700. */
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import type { Runtime } from "parhelion-core";
import { Newcomers } from "parhelion-protocol";
import { settledWithin } from "../deadline.js";
import { HostError, messageOf, systemCode } from "../host-error.js";
import { limitError } from "../limit-error.js";
import { checkSocketPath } from "../state/socket-path.js";
import { onLines, writeLine } from "./json-lines.js";

export type AdminParams = Readonly<Record<string, unknown>>;
export type AdminMethod = (params: AdminParams) => Promise<unknown>;

export interface AdminServerOptions {
  readonly path: string;
  readonly methods: Readonly<Record<string, AdminMethod>>;
  readonly runtime: Runtime;
  readonly maxConnections: number;
  /** Requests of one connection that may be under way at once. */
  readonly maxRequests: number;
}

/** How long a client may take to read its last answers, in ms. */
const lingerMs = 1000;

export class AdminServer {
  readonly #options: AdminServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those that have not asked for anything. */
  readonly #newcomers: Newcomers;

  private constructor(options: AdminServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#newcomers = new Newcomers(options.maxConnections);
  }

  /** @throws HostError listen-failed, socket-path-too-long */
  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options);
    await listenOnPath(admin.#server, options.path);
    return admin;
  }

  /** Takes no new connections and removes the socket's file; the connections that there are go on. */
  stopListening(): void {
    this.#server.close();
  }

  /** `stopListening`, and ends every connection after what was written has gone out. */
  async close(): Promise<void> {
    const closed = Promise.all(
      [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve))),
    );
    this.stopListening();
    for (const socket of this.#sockets) socket.destroySoon();
    // A peer that does not read would hold this up.
    await settledWithin(this.#options.runtime.clock, lingerMs, closed);
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    socket.on("error", () => undefined);
    // Who never asked anything gives way; who did stays, whatever comes.
    if (this.#sockets.size >= this.#options.maxConnections && !this.#newcomers.dropOldest()) {
      const error = refusedConnection(this.#options.maxConnections);
      socket.end(`${JSON.stringify({ id: null, error })}\n`, () => socket.destroy());
      return;
    }
    this.#sockets.add(socket);
    this.#newcomers.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    let underWay = 0;
    const take = (line: string) => {
      const admitted = underWay < this.#options.maxRequests;
      underWay += 1;
      this.#newcomers.known(socket);
      void this.#answer(line, admitted).then((reply) => {
        underWay -= 1;
        writeLine(socket, reply);
      });
    };
    onLines(socket, take, () => {
      writeLine(socket, { id: null, error: { code: "bad-request", message: "the line is too long" } });
      socket.destroySoon();
    });
  }

  /** Never rejects: whatever a method throws becomes an error answer. */
  async #answer(line: string, admitted: boolean): Promise<unknown> {
    let id: unknown = null;
    try {
      const request = parseRequest(line);
      id = request.id;
      if (!admitted) {
        const limit = this.#options.maxRequests;
        throw limitError({
          code: "limit-reached",
          slice: "",
          rule: "adminRequests",
          limit,
          used: limit,
          wanted: 1,
          remedy: "wait for answers before asking more",
        });
      }
      const method = Object.hasOwn(this.#options.methods, request.method)
        ? this.#options.methods[request.method]
        : undefined;
      if (method === undefined) {
        const known = Object.keys(this.#options.methods).join(", ");
        throw new HostError("unknown-method", `no method ${request.method.slice(0, 64)}; there are ${known}`);
      }
      return { id, result: (await method(request.params)) ?? {} };
    } catch (error) {
      if (error instanceof HostError) {
        const { details, code, message, remedy } = error;
        return { id, error: { ...(remedy === "" ? {} : { remedy }), ...details, code, message } };
      }
      this.#options.runtime.log("error", "admin.failed", { error });
      return { id, error: { code: "internal", message: messageOf(error) } };
    }
  }
}

function refusedConnection(limit: number): Readonly<Record<string, unknown>> {
  const { code, message, details } = limitError({
    code: "limit-reached",
    slice: "",
    rule: "adminConnections",
    limit,
    used: limit,
    wanted: 1,
    remedy: "close some that have asked something, or raise it with `parhelion host --limit`",
  });
  return { ...details, code, message };
}

interface AdminRequest {
  readonly id: number | string | null;
  readonly method: string;
  readonly params: AdminParams;
}

export function parseRequest(line: string): AdminRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new HostError("bad-request", "the line is not JSON");
  }
  if (!isRecord(value)) throw new HostError("bad-request", "a request is a JSON object {id, method, params}");
  const { id = null, method, params = {} } = value;
  if (typeof method !== "string") throw new HostError("bad-request", "method must be a string");
  if (id !== null && typeof id !== "number" && typeof id !== "string") {
    throw new HostError("bad-request", "id must be a number or a string");
  }
  if (!isRecord(params)) throw new HostError("bad-request", "params must be an object");
  return { id, method, params };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws HostError listen-failed, socket-path-too-long */
export async function listenOnPath(server: Server, path: string): Promise<void> {
  checkSocketPath(path);
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) =>
      reject(
        new HostError(
          "listen-failed",
          `cannot listen on ${path}: ${error.message}${systemCode(error) === "EADDRINUSE" ? ". Somebody listens there already" : ""}`,
          { cause: error, details: { path } },
        ),
      );
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      resolve();
    });
  });
  await chmod(path, 0o600);
}
