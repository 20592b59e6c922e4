/** What a vGPU's node does for one open file. */
import type { FileOperations } from "parhelion-core";
import { serveIoctl } from "./ioctl.js";
import type { DxgProcess } from "./process.js";
import type { NodeRequest } from "./request.js";

export class DxgFile implements FileOperations<NodeRequest, Uint8Array> {
  readonly #process: DxgProcess;

  constructor(process: DxgProcess) {
    this.#process = process;
  }

  async request(request: NodeRequest): Promise<Uint8Array> {
    if (request.kind === "ioctl") return serveIoctl(this.#process, request.type, request.body);
    this.#process.listen(request.deliver);
    return new Uint8Array(0);
  }

  flush(): void {
    this.#process.cancel();
  }

  async release(): Promise<void> {
    await this.#process.release();
  }
}
