/**
 * What the GPU is asked to do, as the command stream says it: enough of each submission is kept to name what made it too long. A few
 * map look-ups a dispatch; labels are asked for only when somebody has to be told.
 */
import { InterfaceKind, type ObjectTable, Opcode } from "parhelion-protocol";

/** Of one command buffer, in the order of their size. */
const heaviestKept = 8;

type Verb =
  | "dispatchWorkgroups"
  | "dispatchWorkgroupsIndirect"
  | "draw"
  | "drawIndexed"
  | "drawIndirect"
  | "drawIndexedIndirect"
  | "executeBundles";

interface Pass {
  readonly kind: "compute" | "render";
  readonly work: Work;
  pipeline: object | undefined;
  commands: number;
}

export interface Command {
  readonly verb: Verb;
  readonly counts: readonly number[];
  /** Workgroups, or vertices times instances; what is read from a buffer could be any number. */
  readonly size: number;
  /** From 0, in its pass. */
  readonly index: number;
  readonly kind: Pass["kind"];
  readonly pass: object | undefined;
  readonly pipeline: object | undefined;
}

/** What one command buffer does. */
export class Work {
  /** Dispatches and draws. */
  commands = 0;
  readonly heaviest: Command[] = [];

  /** Whether a command of this size is worth being kept. */
  keeps(size: number): boolean {
    return this.heaviest.length < heaviestKept || size > (this.heaviest[heaviestKept - 1] as Command).size;
  }

  keep(command: Command): void {
    let place = this.heaviest.length;
    while (place > 0 && (this.heaviest[place - 1] as Command).size < command.size) place -= 1;
    this.heaviest.splice(place, 0, command);
    if (this.heaviest.length > heaviestKept) this.heaviest.pop();
  }
}

export class WorkLog {
  readonly #objects: ObjectTable;
  readonly #encoders = new Map<number, Work>();
  readonly #passes = new Map<number, Pass>();
  readonly #done = new WeakMap<object, Work>();
  #finishing: Work | undefined;

  /** @param objects where the stream's handles lead */
  constructor(objects: ObjectTable) {
    this.#objects = objects;
  }

  /**
   * A record is about to be carried out. What it says need not be true: a ring in shared memory can change under our eyes, and then
   * a message names something else.
   */
  observe(u32: Uint32Array, i: number): void {
    const on = u32[i + 2] as number;
    switch ((u32[i + 1] as number) & 0xffff) {
      case Opcode.commandEncoderBeginComputePass:
        this.#begin("compute", on, u32[i + 3] as number);
        return;
      case Opcode.commandEncoderBeginRenderPass:
        this.#begin("render", on, u32[i + 3] as number);
        return;
      case Opcode.computePassEncoderSetPipeline:
        this.#setPipeline(on, u32[i + 3] as number, InterfaceKind.GPUComputePipeline);
        return;
      case Opcode.renderPassEncoderSetPipeline:
        this.#setPipeline(on, u32[i + 3] as number, InterfaceKind.GPURenderPipeline);
        return;
      case Opcode.computePassEncoderDispatchWorkgroups:
        this.#command(on, "dispatchWorkgroups", u32, i, 3);
        return;
      case Opcode.renderPassEncoderDraw:
        this.#command(on, "draw", u32, i, 2);
        return;
      case Opcode.renderPassEncoderDrawIndexed:
        this.#command(on, "drawIndexed", u32, i, 2);
        return;
      case Opcode.computePassEncoderDispatchWorkgroupsIndirect:
        this.#command(on, "dispatchWorkgroupsIndirect", u32, i, 0);
        return;
      case Opcode.renderPassEncoderDrawIndirect:
        this.#command(on, "drawIndirect", u32, i, 0);
        return;
      case Opcode.renderPassEncoderDrawIndexedIndirect:
        this.#command(on, "drawIndexedIndirect", u32, i, 0);
        return;
      case Opcode.renderPassEncoderExecuteBundles:
        this.#command(on, "executeBundles", u32, i, 0);
        return;
      case Opcode.computePassEncoderEnd:
      case Opcode.renderPassEncoderEnd:
        this.#passes.delete(on);
        return;
      case Opcode.commandEncoderFinish:
        this.#finishing = this.#encoders.get(on);
        this.#encoders.delete(on);
        return;
      case Opcode.release:
        this.#passes.delete(on);
        this.#encoders.delete(on);
    }
  }

  /** The command that was observed last, a `finish`, has made `commandBuffer`. */
  finished(commandBuffer: object): void {
    if (this.#finishing !== undefined) this.#done.set(commandBuffer, this.#finishing);
    this.#finishing = undefined;
  }

  workOf(commandBuffers: readonly object[]): readonly Work[] {
    const works: Work[] = [];
    for (const buffer of commandBuffers) {
      const work = this.#done.get(buffer);
      if (work !== undefined) works.push(work);
    }
    return works;
  }

  clear(): void {
    this.#encoders.clear();
    this.#passes.clear();
  }

  #begin(kind: Pass["kind"], encoder: number, pass: number): void {
    let work = this.#encoders.get(encoder);
    if (work === undefined) {
      work = new Work();
      this.#encoders.set(encoder, work);
    }
    this.#passes.set(pass, { kind, work, pipeline: undefined, commands: 0 });
  }

  #setPipeline(pass: number, pipeline: number, kind: number): void {
    const entry = this.#passes.get(pass);
    if (entry !== undefined) entry.pipeline = this.#object(pipeline, kind);
  }

  /** @param numbers how many of the record's words from the fourth on are its counts; none: the GPU reads them from a buffer */
  #command(on: number, verb: Verb, u32: Uint32Array, i: number, numbers: number): void {
    const entry = this.#passes.get(on);
    if (entry === undefined) return;
    const index = entry.commands++;
    entry.work.commands += 1;
    let size = numbers === 0 ? Number.POSITIVE_INFINITY : 1;
    for (let word = 3; word < 3 + numbers; word++) size *= u32[i + word] as number;
    if (!entry.work.keeps(size)) return;
    const { kind, work, pipeline } = entry;
    const counts: number[] = [];
    for (let word = 3; word < 3 + numbers; word++) counts.push(u32[i + word] as number);
    const passKind =
      kind === "compute" ? InterfaceKind.GPUComputePassEncoder : InterfaceKind.GPURenderPassEncoder;
    work.keep({ verb, counts, size, index, kind, pass: this.#object(on, passKind), pipeline });
  }

  #object(id: number, kind: number): object | undefined {
    try {
      return this.#objects.get(id, kind);
    } catch {
      // The command itself will say so.
      return undefined;
    }
  }
}
