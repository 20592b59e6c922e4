/** An open /dev/vfio/vfio. Its container stays as long as groups are in it, so closing the file does nothing. */
import type { FileOperations } from "parhelion-core";
import type { ContainerReply, ContainerRequest } from "./calls.js";
import type { Container } from "./container.js";

export class ContainerOperations implements FileOperations<ContainerRequest, ContainerReply> {
  readonly #container: Container;

  constructor(container: Container) {
    this.#container = container;
  }

  request(request: ContainerRequest): Promise<ContainerReply> {
    return this.#container.request(request);
  }
}
