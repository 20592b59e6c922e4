/** The one way a primitive parks a task: queue it, sleep, and on a missed deadline leave the queue with a reason. */
import { KernelError } from "../error.js";
import type { Runtime } from "../runtime.js";
import type { Blocked, Named } from "./scheduler.js";

/** @throws KernelError ETIMEDOUT when `deadline` passes first; the task has then left the queue */
export async function parkIn(
  queue: Set<Blocked>,
  runtime: Runtime,
  op: string,
  on: Named,
  deadline: number,
): Promise<void> {
  const blocked = runtime.scheduler.block(op, on, deadline);
  queue.add(blocked);
  const wakeup = await blocked.wakeup;
  queue.delete(blocked);
  if (wakeup === "timeout") throw timedOut(op, on);
}

/** Wakes the first task that is still waiting. False when none was. */
export function wakeFirst(queue: Set<Blocked>): boolean {
  for (const blocked of queue) {
    queue.delete(blocked);
    if (blocked.wake()) return true;
  }
  return false;
}

export function wakeAll(queue: Set<Blocked>): void {
  const woken = [...queue];
  queue.clear();
  for (const blocked of woken) blocked.wake();
}

export function timedOut(op: string, on: Named): KernelError {
  return new KernelError(
    "ETIMEDOUT",
    `${op} on ${on.name} missed its deadline; find out who holds it or should have woken it`,
  );
}
