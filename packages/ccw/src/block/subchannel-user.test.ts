/** Starts and resets that are asked for at once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AttachedDevice, type OpenDevice } from "parhelion-vfio";
import { type Rig, rig } from "../vfio-ccw/rig.test.fixture.js";
import { CcwBlockDevice } from "./block-device.js";
import { BlockError } from "./error.js";

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a call came to. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(error instanceof BlockError, String(error));
    return error.code;
  }
}

async function finish(machine: Rig): Promise<void> {
  await machine.end();
  assert.equal(machine.storage.used, 0, "frames of main storage are left");
}

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** A device whose calls can be held up, on the way there and on the way back. */
async function heldUp(machine: Rig, hold: (op: string, way: "there" | "back") => Promise<void>) {
  const { id } = await machine.disk();
  const files = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  const device: OpenDevice = {
    name: files.name,
    call: async (op, argument, options) => {
      await hold(op, "there");
      const reply = await files.call(op, argument, options);
      await hold(op, "back");
      return reply;
    },
    map: (...of) => files.map(...of),
    share: (...of) => files.share(...of),
    unmap: (...of) => files.unmap(...of),
    close: (...of) => files.close(...of),
  };
  return CcwBlockDevice.use(machine.runtime, device, { retries: 0 });
}

test("what is asked for while a reset is under way comes behind it, and is not ended by it", async () => {
  const machine = await rig();
  const held = gate();
  const device = await heldUp(machine, async (op, way) => {
    if (op === "RESET" && way === "back") await held.opened;
  });
  const reset = device.reset();
  await later(1);
  const reading = codeOf(device.read(0, 1));
  await later(5);
  held.open();
  await reset;
  assert.equal(await reading, "done");
  await device.close();
  await finish(machine);
});

test("a reset does not overtake a start, which it would leave running with nobody who waits for it", async () => {
  const machine = await rig();
  const held = gate();
  const asked: string[] = [];
  const device = await heldUp(machine, async (op, way) => {
    if (asked[0] !== "begin" || way === "back") return;
    asked.push(op);
    if (op === "WRITE") await held.opened;
    asked.push(`${op} goes on`);
  });
  asked.push("begin");
  const reading = codeOf(device.read(0, 1));
  while (!asked.includes("WRITE")) await later(1);
  const reset = device.reset();
  await later(5);
  held.open();
  await reset;
  assert.ok(["done", "block-refused"].includes(await reading));
  assert.deepEqual(asked.slice(0, 4), ["begin", "WRITE", "WRITE goes on", "RESET"]);
  await device.close();
  await finish(machine);
});
