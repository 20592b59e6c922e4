/** Serves a page of metrics over HTTP, to Prometheus and nobody's browser. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Runtime } from "parhelion-core";
import { HostError, messageOf } from "../host-error.js";
import { checkReach, isLoopback, type MetricsAddress } from "./metrics-address.js";
import { onceAtATime } from "./once-at-a-time.js";

/** Of the format that is served. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

const mostConnections = 32;
/** For a request's head, and for all of it, in ms. */
const headMs = 5000;
const requestMs = 10_000;

export interface MetricsServerOptions {
  readonly runtime: Runtime;
  readonly address: MetricsAddress;
  /** Asked for once at a time, however many ask. */
  readonly page: () => Promise<string>;
}

export class MetricsServer {
  readonly #options: MetricsServerOptions;
  readonly #server: Server;
  readonly #knownNames: "loopback" | "any";
  readonly #page: () => Promise<string>;

  private constructor(options: MetricsServerOptions) {
    const { host = "127.0.0.1" } = options.address;
    this.#options = options;
    this.#page = onceAtATime(options.page);
    this.#knownNames = isLoopback(host) ? "loopback" : "any";
    this.#server = createServer(
      { headersTimeout: headMs, requestTimeout: requestMs },
      (request, response) => {
        void this.#answer(request, response);
      },
    );
    this.#server.maxConnections = mostConnections;
  }

  /** @throws HostError metrics-exposed, listen-failed */
  static async listen(options: MetricsServerOptions): Promise<MetricsServer> {
    checkReach(options.address);
    const server = new MetricsServer(options);
    const { host = "127.0.0.1", port } = options.address;
    await new Promise<void>((resolve, reject) => {
      server.#server.once("error", (error) =>
        reject(
          new HostError("listen-failed", `cannot serve metrics on ${host}:${port}: ${messageOf(error)}.`, {
            cause: error,
            details: { host, port },
            remedy: "Choose another address with --metrics.",
          }),
        ),
      );
      server.#server.listen(port, host, resolve);
    });
    return server;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** Answers nobody any more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** Never rejects. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What one asks is small; a connection that is kept would count against the others.
    response.setHeader("Connection", "close");
    const refusal = this.#refusal(request);
    if (refusal !== undefined) {
      const [status, why] = refusal;
      response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${why}\n`);
      return;
    }
    try {
      const page = await this.#page();
      response.writeHead(200, { "Content-Type": metricsContentType });
      response.end(request.method === "HEAD" ? undefined : page);
    } catch (error) {
      this.#options.runtime.log("error", "metrics.failed", { error });
      response.writeHead(500, { "Content-Type": "text/plain; charset=utf-8" }).end(`${messageOf(error)}\n`);
    }
  }

  #refusal({
    method,
    url = "/",
    headers,
  }: IncomingMessage): readonly [status: number, why: string] | undefined {
    if (method !== "GET" && method !== "HEAD") return [405, "only GET is answered"];
    const { host = "" } = headers;
    // A web page whose name was made to mean this machine must not read it.
    if (this.#knownNames === "loopback" && !isLoopback(nameIn(host)))
      return [403, "this host is called 127.0.0.1 or localhost"];
    return url.split("?")[0] === "/metrics" ? undefined : [404, "there is /metrics"];
  }
}

/** Of a Host header: without the port, and without the brackets of an IPv6 address. */
function nameIn(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
