/** A guest's process as its test has it: calls that are begun there, and how they end. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CcwBlockOptions } from "../block/block-device.js";
import { blockBytes, blocksPerTrack } from "../block/eckd.js";
import type { DiskImage } from "../image/disk-image.js";
import type { Order } from "./guest.test.child.js";

/** How a call has ended: its value, or its error's code. */
export type End = { readonly value: unknown } | { readonly code: string; readonly message: string };

const child = fileURLToPath(new URL("./guest.test.child.js", import.meta.url));

export class Guest {
  /** What it was told that it did not ask for, in order. */
  readonly events: string[] = [];
  readonly #process: ChildProcess;
  readonly #calls = new Map<number, (end: End) => void>();
  readonly #gone: Promise<void>;
  #errors = "";
  #last = 0;
  #heard: () => void = () => undefined;

  constructor() {
    this.#process = spawn(process.execPath, [child], { stdio: ["pipe", "pipe", "pipe"] });
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
    this.#process.stdin?.on("error", () => undefined);
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => this.#hear(JSON.parse(line) as { id?: number; event?: string }));
    this.#gone = new Promise((resolve) =>
      this.#process.once("close", () => {
        for (const call of this.#calls.values()) call({ code: "dead", message: this.#errors });
        this.#calls.clear();
        resolve();
      }),
    );
  }

  /** Begins a call; settles when it has ended, or the guest has. */
  begin(order: Order): Promise<End> {
    this.#last += 1;
    const id = this.#last;
    const ended = new Promise<End>((resolve) => this.#calls.set(id, resolve));
    this.#process.stdin?.write(`${JSON.stringify({ ...order, id })}\n`);
    return ended;
  }

  /** What a call comes to: "done", or its error's code. */
  async outcome(order: Order): Promise<string> {
    const end = await this.begin(order);
    return "code" in end ? end.code : "done";
  }

  /** A call that has to end well. */
  async must(order: Order): Promise<unknown> {
    const end = await this.begin(order);
    assert.ok("value" in end, `${order.do}: ${JSON.stringify(end)} ${this.#errors}`);
    return end.value;
  }

  open(path: string, options: CcwBlockOptions = {}): Promise<unknown> {
    // No machine is so busy that it needs longer.
    return this.must({ do: "open", path, options: { timeoutMs: 60_000, ...options } });
  }

  async read(first: number, count: number): Promise<Buffer> {
    return Buffer.from((await this.must({ do: "read", first, count })) as string, "base64");
  }

  /** Settles when it has been told that. */
  async told(event: string): Promise<void> {
    while (!this.events.includes(event))
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
  }

  /** Dies at once, whatever it is doing. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#gone;
  }

  /** Closes what is open, and ends. */
  async end(): Promise<void> {
    this.#process.stdin?.end();
    await this.#gone;
    assert.equal(this.#errors, "");
  }

  #hear({ id, event, ...end }: { id?: number; event?: string }): void {
    if (event !== undefined) {
      this.events.push(event);
      this.#heard();
    }
    const call = this.#calls.get(id ?? 0);
    this.#calls.delete(id ?? 0);
    call?.(end as unknown as End);
  }
}

/** Blocks as they stand on the image, read without any of this. */
export async function blocksOf(image: DiskImage, first: number, count: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for (let block = first; block < first + count; block += 1) {
    const { records } = await image.read(Math.floor(block / blocksPerTrack));
    const record = records.find((each) => each.record === (block % blocksPerTrack) + 1);
    assert.equal(record?.data.length, blockBytes, `block ${block} is on the image`);
    blocks.push(Buffer.from(record?.data ?? []));
  }
  return Buffer.concat(blocks);
}
