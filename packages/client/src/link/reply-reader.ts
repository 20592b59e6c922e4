/** What comes back from the engine: replies go to who asked, the rest to the device. */
import { type EventHandlers, EventReader, ProtocolError, type RingReader } from "parhelion-protocol";
import type { DeviceLostReason } from "../device-lost-info.js";
import { type ErrorKind, gpuError } from "../error.js";
import type { RequestTable } from "./requests.js";

export interface EngineNews {
  uncapturedError(kind: ErrorKind, message: string): void;
  deviceLost(reason: DeviceLostReason, message: string): void;
}

export class ReplyReader {
  readonly #events: EventReader;
  readonly #handlers: EventHandlers;

  constructor(rx: RingReader, requests: RequestTable, news: EngineNews) {
    this.#events = new EventReader(rx);
    this.#handlers = handlersFor(requests, news);
  }

  /** Takes everything that arrived. @throws ProtocolError when the engine does not follow the protocol */
  read(): void {
    this.#events.read(this.#handlers);
  }
}

function handlersFor(requests: RequestTable, news: EngineNews): EventHandlers {
  return {
    replyWorkDone: (request) => requests.take("work-done", request)?.done(),
    replyMap(request, result, total, name, message) {
      const waiting = requests.find("map", request);
      if (waiting === undefined) return;
      if (result === "error") requests.take("map", request)?.failed(name, message);
      else if (total !== waiting.size) {
        throw new ProtocolError(
          "bad-reply",
          `${total} bytes were mapped where ${waiting.size} were asked for`,
        );
      } else waiting.contents = waiting.spare ?? new Uint8Array(total);
    },
    mapData(request, last, offset, data) {
      const waiting = requests.find("map", request);
      if (waiting === undefined) return;
      const contents = waiting.contents;
      if (contents === undefined || offset + data.length > contents.length) {
        throw new ProtocolError(
          "bad-reply",
          `${data.length} bytes at ${offset} are not of request ${request}`,
        );
      }
      contents.set(data, offset);
      if (last) requests.take("map", request)?.mapped(contents.buffer);
    },
    replyErrorScope(request, result, message) {
      const waiting = requests.take("error-scope", request);
      if (result === "error") waiting?.failed(message);
      else waiting?.popped(result === "none" ? null : gpuError(result, message));
    },
    replyPipeline(request, result, message) {
      const waiting = requests.take("pipeline", request);
      if (result === "ok") waiting?.created();
      else waiting?.failed(result, message);
    },
    replyCompilationInfo: (request, messages) => requests.take("compilation-info", request)?.known(messages),
    uncapturedError: (kind, message) => news.uncapturedError(kind, message),
    deviceLost: (reason, message) => news.deviceLost(reason, message),
  };
}
