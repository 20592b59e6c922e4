/** A device that does with its n-th command what the n-th step says, and writes down what it saw. */

import type { ChannelDevice, Command, DataPath, Ending } from "./device.js";
import type { Event, Step } from "./model-types.test.fixture.js";

/** The most that a device asks for when it asks for all. */
export const restLimit = 300;

/** What the device sends with its n-th command. */
export function pattern(command: number, length: number): readonly number[] {
  return Array.from({ length }, (_, index) => (command * 37 + index * 5 + 1) % 256);
}

export class ScriptedDevice implements ChannelDevice {
  readonly events: Event[];
  readonly #steps: readonly Step[];
  #commands = 0;
  programEnds = 0;

  constructor(steps: readonly Step[], events: Event[]) {
    this.#steps = steps;
    this.events = events;
  }

  async execute({ code, chained, kind }: Command, data: DataPath): Promise<Ending> {
    const command = this.#commands;
    this.#commands += 1;
    this.events.push({ kind: "command", code, chained });
    const step = this.#steps[command % this.#steps.length] as Step;
    for (const act of step.acts) {
      if (act === "accept") data.accept();
      else if (act === "rest") await this.#rest(kind, data);
      else if (kind === "write" || kind === "control") {
        this.events.push({ kind: "received", bytes: [...(await data.receive(act))] });
      } else {
        const bytes = Uint8Array.from(pattern(command, act));
        this.events.push({ kind: "sent", taken: await data.send(bytes) });
      }
    }
    const { status, channelStatus, later } = step;
    const ending = { status, channelStatus, sense: Uint8Array.from(step.sense) };
    if (later === null) return ending;
    return {
      ...ending,
      deviceEnd: () => Promise.resolve({ status: later, sense: Uint8Array.from(step.sense) }),
    };
  }

  async #rest(kind: Command["kind"], data: DataPath): Promise<void> {
    data.accept();
    if (kind !== "write" && kind !== "control") return;
    this.events.push({ kind: "received", bytes: [...(await data.receiveRest(restLimit))] });
  }

  halt(): void {}

  programEnd(): undefined {
    this.programEnds += 1;
  }
}
