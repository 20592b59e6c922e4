import assert from "node:assert/strict";
import { constants, openSync } from "node:fs";
import { describe, it } from "node:test";
import { ReadStream } from "node:tty";
import koffi from "koffi";
import { isKernelError } from "parhelion-core";
import { openPty, type Pty } from "parhelion-vfio";
import { ConsoleRig } from "./console.test.fixture.js";

describe("a console on a pty", () => {
  it("is a terminal for any program that opens it", async (t) => {
    const rig = new ConsoleRig();
    let pty: Pty;
    try {
      pty = openPty(koffi);
    } catch (error) {
      assert.ok(isKernelError(error, "ENODEV"));
      return t.skip(error.message);
    }
    rig.console.connect(pty.stream, { echo: "here" });
    const user = new ReadStream(openSync(pty.path, constants.O_RDWR | constants.O_NOCTTY));
    let seen = "";
    user.on("data", (bytes) => {
      seen += String(bytes);
    });
    try {
      await rig.write("ready?\n");
      await rig.settle(() => seen === "ready?\r\n");
      user.write("yes\r");
      await rig.run(0x0a, 160);
      assert.equal(rig.text(3), "yes");
      await rig.settle(() => seen === "ready?\r\nyes\r\n");
    } finally {
      user.destroy();
      pty.close();
    }
  });
});
