/**
 * The targets. Each module exports `target`:
 *   description   one line
 *   setup()       loads the code under test. @returns run(input): throws for what must not happen; what it returns, a short text
 *                 such as an error's code, makes the input interesting when it is new. May be asynchronous.
 *   seeds()       valid inputs
 *   dictionary    {words, bytes} that mean something
 *   split(input)  into units; mend(unit) makes its length fields true; countOf(input) how many messages it is
 */
const modules = {
  messages: () => import("./messages.mjs"),
  frames: () => import("./frames.mjs"),
  packets: () => import("./packets.mjs"),
  ring: () => import("./ring.mjs"),
  stream: () => import("./stream.mjs"),
  replay: () => import("./replay.mjs"),
  "engine-ipc": () => import("./engine-ipc.mjs"),
  admin: () => import("./admin.mjs"),
  control: () => import("./control.mjs"),
  queue: () => import("./queue.mjs"),
  "front-door": () => import("./front-door.mjs"),
  guest: () => import("./guest.mjs"),
  "vfio-user": () => import("./vfio-user.mjs"),
  vgpu: () => import("./vgpu.mjs"),
  ccw: () => import("./ccw.mjs"),
};

export const targetNames = Object.keys(modules);

export async function loadTarget(name) {
  return (await modules[name]()).target;
}
