/** Gives devices back that the application dropped without destroying them. One for each GPU object. */
import type { OpenedDevice } from "./adapter-source.js";

export class DeviceRegistry {
  readonly #collected = new FinalizationRegistry<OpenedDevice>((opened) => opened.release());

  /** @param link what every object of the device holds */
  watch(link: object, opened: OpenedDevice): void {
    this.#collected.register(link, opened);
  }
}
