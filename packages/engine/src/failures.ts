/**
 * How what Dawn's binding throws becomes a WebGPU error of the device. An application's own mistakes are found by its client, so a throw
 * means a command that the client could not foresee to be wrong. It belongs into the error scope that is open at this place of the stream;
 * only Dawn knows which one that is, and has no way to be told. So Dawn is given something that is invalid for sure, with the real
 * message in a label, and the message is taken out again where errors leave the engine.
 */
const MARK = "parhelion-failure:";

/** As Dawn puts it: the label in quotes, which in some of its messages are doubled. */
const marked = new RegExp(`\\[BufferDescriptor "+${MARK}([\\s\\S]*?):${MARK}"+\\]`);

export function raiseValidationError(device: GPUDevice, message: string): void {
  device.createBuffer({ size: 4, usage: 0, label: `${MARK}${message}:${MARK}` });
}

/** The message as the application is to see it. */
export function unwrapMessage(message: string): string {
  return marked.exec(message)?.[1] ?? message;
}
