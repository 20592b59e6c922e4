import type { Socket } from "node:net";
import { isProtocolError } from "../../error.js";
import { CONTROL_HEADER, type ControlFrame, decodeFrame, SizedFrames } from "../../messages/frame.js";
import { QueueConnectError } from "../errors.js";
import type { CarrierRuntime } from "../runtime.js";

/** A hello or its reply, with room for fields that are still to be invented. */
export const MAX_HANDSHAKE_MESSAGE = 8 * 1024;

export interface FirstMessage {
  readonly frame: ControlFrame;
  /** Bytes behind it, which are not a control message any more. */
  readonly rest: Uint8Array;
}

/**
 * Takes exactly one control message off a socket and leaves the socket paused, without listeners of ours but one that swallows errors. Not a
 * control connection, because what follows belongs to the carrier and may come in the same piece.
 * @param begun what has been read of it
 * @throws QueueConnectError hung-up, deadline, protocol
 */
export function readFirstMessage(
  socket: Socket,
  runtime: CarrierRuntime,
  deadlineMs: number,
  begun: Uint8Array = new Uint8Array(0),
): Promise<FirstMessage> {
  return new Promise((resolve, reject) => {
    const frames = new SizedFrames(CONTROL_HEADER, MAX_HANDSHAKE_MESSAGE);
    let state: "reading" | "stopped" = "reading";
    const stop = (): void => {
      state = "stopped";
      timer.cancel();
      socket.off("data", onData);
      socket.off("end", onEnd);
      socket.off("close", onEnd);
      socket.off("error", onError);
      socket.pause();
    };
    const fail = (error: QueueConnectError): void => {
      stop();
      reject(error);
    };
    const onData = (chunk: Uint8Array): void => {
      try {
        frames.push(chunk);
        const frame = frames.next();
        if (frame === null) return;
        stop();
        resolve({ frame: decodeFrame(frame), rest: frames.rest() });
      } catch (error) {
        if (!isProtocolError(error)) throw error;
        fail(
          new QueueConnectError("protocol", `what came is no queue handshake: ${error.message}`, {
            cause: error,
          }),
        );
      }
    };
    const onEnd = (): void =>
      fail(new QueueConnectError("hung-up", "the other end closed during the handshake"));
    const onError = (cause: Error): void =>
      fail(
        new QueueConnectError("hung-up", `the socket failed during the handshake: ${cause.message}`, {
          cause,
        }),
      );
    const timer = runtime.clock.setTimer(deadlineMs, () =>
      fail(new QueueConnectError("deadline", `the queue's handshake did not end within ${deadlineMs} ms`)),
    );
    if (socket.destroyed) {
      onEnd();
      return;
    }
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onEnd);
    socket.on("error", onError);
    onData(begun);
    if (state === "reading") socket.resume();
  });
}

/** Waits until the system has taken what was written, so that a carrier may write on its own. Settles also when the socket dies. */
export function written(socket: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    socket.write(bytes, () => resolve());
  });
}
