// The host under test, in a process of its own so that it can be killed, and the administrator who talks to it.
import { join } from "node:path";
import { systemClock } from "parhelion-core";
import { AdminClient } from "parhelion-host";
import { end, pause, root, start } from "./children.mjs";

export class House {
  #admin;
  #state = "down";

  constructor(directory, adapter, hostOptions = []) {
    this.directory = directory;
    this.adapter = adapter;
    this.hostOptions = hostOptions;
    this.starts = 0;
  }

  get pid() {
    return this.process?.pid;
  }

  async open() {
    const ready = new Promise((resolve) => {
      this.process = start(
        [
          join(root, "packages/parhelion/bin/parhelion.js"),
          "host",
          ...["--state", this.directory, "--adapter", this.adapter, "--log-level", "error", "--json"],
          ...this.hostOptions,
        ],
        { onLine: (line) => line.includes('"event"') && resolve("ready") },
      );
    });
    const how = await Promise.race([ready, this.process.ended]);
    if (how !== "ready") throw new Error(`the host ended (${how}): ${this.process.errors.join("\n")}`);
    this.starts += 1;
    this.#admin = await AdminClient.connect(join(this.directory, "admin.sock"), systemClock);
    this.#state = "up";
  }

  /** As if the power of one process had failed; then again. */
  async crash(downMs) {
    this.#state = "down";
    this.process.kill("SIGKILL");
    await this.process.ended;
    await pause(downMs);
    await this.open();
  }

  async close() {
    this.#state = "down";
    this.#admin?.close();
    return end(this.process, 30_000);
  }

  get state() {
    return this.#state;
  }

  request(method, params) {
    return this.#admin.request(method, params);
  }

  status() {
    return this.request("status");
  }
}
