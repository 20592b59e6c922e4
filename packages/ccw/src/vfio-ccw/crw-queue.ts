/** Channel reports for the user: path events append to them, and each read of the region takes one. */
import { type Crw, crw as crwLayout } from "parhelion-buses";
import type { Named, Runtime } from "parhelion-core";

/** Reports that wait. When another one comes the last of them says that some were lost. */
export const maxReports = 64;

export class CrwQueue implements Named {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #reports: Crw[] = [];

  constructor(runtime: Runtime, owner: string) {
    this.name = `channel reports of ${owner}`;
    this.#runtime = runtime;
  }

  get waiting(): number {
    this.#touch();
    return this.#reports.length;
  }

  /** In any context. */
  add(report: Pick<Crw, "rsc" | "erc" | "rsid">): void {
    this.#touch();
    const last = this.#reports.at(-1);
    if (this.#reports.length < maxReports || last === undefined) this.#reports.push(crwLayout.make(report));
    else this.#reports[this.#reports.length - 1] = { ...last, oflw: 1 };
  }

  /** The oldest, as four bytes; zeroes when there is none. */
  take(): Uint8Array {
    this.#touch();
    return crwLayout.encode(this.#reports.shift() ?? {});
  }

  clear(): void {
    this.#touch();
    this.#reports.length = 0;
  }

  #touch(): void {
    this.#runtime.scheduler.access(this, "write");
  }
}
