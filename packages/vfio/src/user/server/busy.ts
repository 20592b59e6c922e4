/** A client that comes while another one is served: it is told so in answer to its first message, whatever that is. */
import { KernelError, type Runtime, WaitQueue } from "parhelion-core";
import type { ClientSocket } from "../socket/client-socket.js";
import { encodeError, type Header } from "../wire/header.js";

export async function sendAway(runtime: Runtime, socket: ClientSocket, patienceMs: number): Promise<void> {
  const { errno } = new KernelError("EBUSY", "the device has a client");
  const heard = new WaitQueue(runtime, "the first message of a client too many");
  let first: Header | null = null;
  let state: "waiting" | "over" = "waiting";
  const over = (): void => {
    state = "over";
    heard.wake();
  };
  socket.start({
    frame: ({ header }) => {
      first ??= header;
      over();
    },
    broken: over,
    ended: over,
  });
  try {
    await heard.wait(() => state === "over", { deadline: runtime.clock.now() + patienceMs });
  } catch {
    // It says nothing: it is told nothing.
  }
  answer(socket, first, errno);
  await socket.close();
}

function answer(socket: ClientSocket, first: Header | null, errno: number): void {
  if (first !== null) socket.send(encodeError(first.id, first.command, errno));
}
