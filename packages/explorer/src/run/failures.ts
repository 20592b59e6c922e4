/** What a run has failed with: the first of what ends it, and the first of what lets it go on. */
import type { Report } from "../detect/observer.js";
import type { Failure, FailureKind } from "../failure.js";

export class Failures {
  readonly #ignored: ReadonlySet<FailureKind>;
  #failure: Failure | null = null;
  #warning: Failure | null = null;

  constructor(ignored: ReadonlySet<FailureKind>) {
    this.#ignored = ignored;
  }

  get failure(): Failure | null {
    return this.#failure;
  }

  get warning(): Failure | null {
    return this.#warning;
  }

  /** @param step what it is of, unless it says so itself */
  fail(report: Report, step: number): void {
    if (!this.#ignored.has(report.kind)) this.#failure ??= { step, clash: [], ...report };
  }

  warn(report: Report, step: number): void {
    if (!this.#ignored.has(report.kind)) this.#warning ??= { step, clash: [], ...report };
  }
}
