/** The guest kernel. */
export type { ConnectTarget } from "./dial.js";
export { CONTROL_NODE, MAX_VGPUS } from "./dxg/node.js";
export { MAX_OBJECTS } from "./dxg/object.js";
export { NodeEventKind } from "./dxg/request.js";
export { type GuestKernelInit, startGuestKernel } from "./kernel.js";
export { guestRules } from "./limit-rules.js";
export type { GuestKernel, GuestKernelState } from "./machine.js";
export { ATTRIBUTES_FILE, type GuestAttributes } from "./node-server/node-server.js";
