/**
 * The engine's side of the IPC channel: messages from the host become calls on the engine, results become answers. Every request
 * with an id is answered exactly once.
 */
import {
  addressed,
  type EngineAddress,
  type FromEngine,
  isAddressedTo,
  isProtocolError,
  parseToEngine,
  type ToEngine,
} from "parhelion-protocol";
import type { Engine } from "./engine.js";
import { shorten } from "./limits.js";
import { messageOf, Refusal, refusalOf } from "./refusal.js";
import type { EngineTime } from "./time/engine-time.js";

export type StartMessage = Extract<ToEngine, { op: "start" }>;

export interface HostLinkOptions {
  /** `sent` is called when the message has left this process, or never will. */
  readonly send: (message: FromEngine, sent?: () => void) => void;
  /** Starts Dawn and the queue server; a rejection is reported as `failed`, and the engine stops. */
  readonly start: (message: StartMessage) => Promise<{ engine: Engine; ready: FromEngine }>;
  /** Ends the process; the reason is for the log, absent when the host wished it. */
  readonly stop: (reason?: string) => void;
  readonly log: (line: string) => void;
}

export class HostLink {
  readonly #options: HostLinkOptions;
  #state: "waiting" | "starting" | "started" | "failed" = "waiting";
  /** Set before the engine has started. */
  time: EngineTime | undefined;
  #engine: Engine | undefined;
  /** Whose engine this is, once that is known. */
  #address: EngineAddress | undefined;

  constructor(options: HostLinkOptions) {
    this.#options = options;
  }

  /** A message that arrived. Malformed ones are logged and dropped: a host that sends them is not helped by our death. */
  receive(raw: unknown): void {
    let message: ToEngine;
    try {
      message = parseToEngine(raw);
    } catch (error) {
      if (!isProtocolError(error)) throw error;
      this.#options.log(error.message);
      this.#refuse(raw, new Refusal("not-started", error.message));
      return;
    }
    if (this.#address !== undefined && !isAddressedTo(raw, this.#address)) {
      const { slice, generation } = this.#address;
      const why = `this is the engine of generation ${generation} of slice ${slice}`;
      this.#options.log(`slice-stale: a message "${message.op}" for another one was refused: ${why}`);
      this.#refuse(raw, new Refusal("slice-stale", why));
    } else if (message.op === "start") void this.#start(message);
    else if (message.op === "stop") this.#options.stop();
    else this.#serve(message);
  }

  async #start(message: StartMessage): Promise<void> {
    if (this.#state !== "waiting") {
      this.#options.log("a second start was ignored");
      return;
    }
    this.#state = "starting";
    this.#address = { slice: message.slice, generation: message.generation };
    try {
      const { engine, ready } = await this.#options.start(message);
      this.#engine = engine;
      this.#state = "started";
      this.send(ready);
    } catch (error) {
      this.#state = "failed";
      const message = shorten(messageOf(error));
      this.send({ op: "failed", message }, () => this.#options.stop(message));
    }
  }

  #serve(message: Exclude<ToEngine, { op: "start" | "stop" }>): void {
    const engine = this.#engine;
    if (engine === undefined) {
      this.#refuse(message, new Refusal("not-started", "the engine has not started"));
      return;
    }
    switch (message.op) {
      case "createDevice":
        this.#answer(message.id, async () => ({
          op: "created",
          id: message.id,
          grant: await engine.createDevice(message.device, message.owner, message.request),
        }));
        break;
      case "createQueue":
        this.#answer(message.id, async () => {
          engine.createQueue(message.device, message.queue, message.token);
          return { op: "created", id: message.id };
        });
        break;
      case "waitFence":
        this.#answer(message.id, async () => ({
          op: "fence",
          id: message.id,
          value: await engine.waitFence(message.queue, message.value),
        }));
        break;
      case "submit":
        this.#answer(message.id, async () => ({
          op: "fence",
          id: message.id,
          value: await engine.submit(message.queue),
        }));
        break;
      case "statistics":
        this.#answer(message.id, async () => ({
          op: "statistics",
          id: message.id,
          statistics: engine.statistics(),
        }));
        break;
      case "quota":
        this.time?.setBudget(message.quota.submissionMs);
        engine.setQuota(message.quota);
        break;
      case "lease":
        this.time?.grant(message);
        break;
      case "recall":
        this.time?.recall(message.lease);
        break;
      case "destroyDevice":
        engine.destroyDevice(message.device, message.taken, message.taken);
        break;
      case "destroyQueue":
        engine.destroyQueue(message.queue);
        break;
    }
  }

  /** Says it to the host, with whose engine says it. `sent` as in HostLinkOptions. */
  send(message: FromEngine, sent?: () => void): void {
    this.#options.send(this.#address === undefined ? message : addressed(message, this.#address), sent);
  }

  #answer(id: number, produce: () => Promise<FromEngine>): void {
    produce().then(
      (reply) => this.send(reply),
      (error: unknown) => this.send({ op: "refused", id, refusal: refusalOf(error, this.#address?.slice) }),
    );
  }

  #refuse(message: unknown, refusal: Refusal): void {
    const id = typeof message === "object" && message !== null && "id" in message ? message.id : undefined;
    if (typeof id === "number")
      this.send({ op: "refused", id, refusal: refusalOf(refusal, this.#address?.slice) });
  }
}
