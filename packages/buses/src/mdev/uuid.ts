/** The names of mediated devices, and which of them are taken in one system. */
import { KernelError, type Named, type Runtime } from "parhelion-core";

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @returns it in lower case @throws KernelError EINVAL */
export function parseUuid(text: string): string {
  if (pattern.test(text)) return text.toLowerCase();
  throw new KernelError(
    "EINVAL",
    `${JSON.stringify(text.slice(0, 40))} is not a UUID; write 36 characters as xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`,
  );
}

/** A uuid is taken from when a device is wanted until its memory is gone, whichever parent it is made of. */
export class TakenUuids implements Named {
  readonly name = "mdev uuids";
  readonly #runtime: Runtime;
  readonly #taken = new Set<string>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  has(uuid: string): boolean {
    this.#runtime.scheduler.access(this, "read");
    return this.#taken.has(uuid);
  }

  take(uuid: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#taken.add(uuid);
  }

  give(uuid: string): void {
    this.#runtime.scheduler.access(this, "write");
    this.#taken.delete(uuid);
  }
}
