/**
 * Error scopes for the errors that are ours: Dawn has no way to be told of one. The stack goes along with Dawn's own, and when a
 * scope is popped, both answers are known. WebGPU lets a scope answer with any of its errors, so the order between the two does
 * not matter.
 */
import type { ErrorKind } from "../error-kind.js";

interface Scope {
  readonly filter: string;
  message: string | undefined;
}

export interface OwnError {
  readonly kind: ErrorKind;
  readonly message: string;
}

export class OwnErrorScopes {
  readonly #stack: Scope[] = [];

  push(filter: string): void {
    this.#stack.push({ filter, message: undefined });
  }

  /** @returns the first of our errors that the scope caught */
  pop(): OwnError | undefined {
    const scope = this.#stack.pop();
    return scope?.message === undefined
      ? undefined
      : { kind: scope.filter as ErrorKind, message: scope.message };
  }

  /** @returns "uncaught" when no open scope wants it */
  raise({ kind, message }: OwnError): "caught" | "uncaught" {
    for (let at = this.#stack.length - 1; at >= 0; at--) {
      const scope = this.#stack[at] as Scope;
      if (scope.filter !== kind) continue;
      scope.message ??= message;
      return "caught";
    }
    return "uncaught";
  }
}
