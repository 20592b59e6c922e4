/** GPUCompilationInfo and its messages: what the shader compiler had to say. */
import { defineInterface, INTERNAL, requireInternal } from "./interface/define.js";

export interface CompilationMessageFields {
  readonly message: string;
  readonly type: "error" | "warning" | "info";
  readonly lineNum: number;
  readonly linePos: number;
  readonly offset: number;
  readonly length: number;
}

export class GPUCompilationMessage {
  readonly #fields: CompilationMessageFields;

  constructor(key: typeof INTERNAL, fields: CompilationMessageFields) {
    requireInternal(key);
    this.#fields = fields;
  }

  get message(): string {
    return this.#fields.message;
  }

  get type(): "error" | "warning" | "info" {
    return this.#fields.type;
  }

  get lineNum(): number {
    return this.#fields.lineNum;
  }

  get linePos(): number {
    return this.#fields.linePos;
  }

  get offset(): number {
    return this.#fields.offset;
  }

  get length(): number {
    return this.#fields.length;
  }
}
defineInterface(GPUCompilationMessage, "GPUCompilationMessage");

export class GPUCompilationInfo {
  readonly #messages: readonly GPUCompilationMessage[];

  constructor(key: typeof INTERNAL, messages: readonly CompilationMessageFields[]) {
    requireInternal(key);
    this.#messages = Object.freeze(messages.map((fields) => new GPUCompilationMessage(INTERNAL, fields)));
  }

  get messages(): readonly GPUCompilationMessage[] {
    return this.#messages;
  }
}
defineInterface(GPUCompilationInfo, "GPUCompilationInfo");
