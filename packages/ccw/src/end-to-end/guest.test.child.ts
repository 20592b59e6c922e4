/**
 * A guest: a process that has a socket's path and the library, and does what its parent tells it, a line of JSON each. It is told to
 * begin calls, not to wait for them: each says when it has ended, and how.
 */
import { createInterface } from "node:readline";
import { createRuntime, isKernelError } from "parhelion-core";
import { CcwBlockDevice, type CcwBlockOptions } from "../block/block-device.js";
import { isBlockError } from "../block/error.js";
import { pattern } from "./pattern.test.fixture.js";

export type Order =
  | { readonly do: "open"; readonly path: string; readonly options: CcwBlockOptions }
  | { readonly do: "read"; readonly first: number; readonly count: number }
  | { readonly do: "write"; readonly first: number; readonly count: number; readonly seed: number }
  | { readonly do: "format"; readonly first: number; readonly count: number }
  | { readonly do: "stop"; readonly how: "halt" | "clear" }
  | { readonly do: "reset" | "close" };

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

class Library {
  readonly #runtime = createRuntime();
  #device: CcwBlockDevice | null = null;

  async carryOut(order: Order): Promise<unknown> {
    if (order.do === "open") {
      const device = await CcwBlockDevice.openAt(this.#runtime, order.path, {
        ...order.options,
        requested: () => say({ event: "requested" }),
        lost: () => say({ event: "lost" }),
        reported: ({ rsid }) => say({ event: `path ${rsid.toString(16)}` }),
      });
      this.#device = device;
      return { ...device.disk, blocks: device.blocks };
    }
    const device = this.#device;
    if (device === null) throw new Error("nothing is open");
    switch (order.do) {
      case "read":
        return Buffer.from(await device.read(order.first, order.count)).toString("base64");
      case "write":
        return device.write(order.first, pattern(order.count, order.seed));
      case "format":
        return device.format(order.first, order.count);
      case "stop":
        return device.stop(order.how, this.#runtime.clock.now() + 60_000);
      case "reset":
        return device.reset();
      case "close":
        return device.close();
    }
  }
}

const library = new Library();

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, ...order } = JSON.parse(line) as Order & { id: number };
  void library.carryOut(order as Order).then(
    (value) => say({ id, value: value ?? null }),
    (error: unknown) => {
      const known = isBlockError(error) || isKernelError(error);
      say({ id, code: known ? error.code : "mistake", message: String(error) });
    },
  );
});
