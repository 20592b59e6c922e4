import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { assertSafe, check, type Program, type World } from "parhelion-explorer";
import { ConsoleRig } from "./console.test.fixture.js";
import type { Console3215 } from "./console-3215.js";

/** A terminal at which a line is typed in the very step in which somebody says so. */
class Keyboard extends Duplex {
  override _read(): void {}

  override _write(_bytes: Uint8Array, _encoding: string, written: () => void): void {
    written();
  }

  type(text: string): void {
    this.emit("data", Buffer.from(text));
  }
}

/** A line is typed while a read inquiry is halted. */
function halted(bend: (console: Console3215) => void = () => undefined): Program<ConsoleRig> {
  return {
    name: "a line is typed while a read is halted",
    setup(world: World) {
      const rig = new ConsoleRig(world.runtime);
      const keyboard = new Keyboard();
      rig.console.connect(keyboard, { echo: "there" });
      bend(rig.console);
      const program = rig.program(0x0a, 160);
      world.task("channel", async () => {
        await program.run();
      });
      world.task("operator", async () => {
        await world.point("types");
        keyboard.type("yes\n");
      });
      world.task("software", async () => {
        await world.point("halts");
        program.stop("halt");
      });
      return rig;
    },
    async after(rig, world) {
      if (rig.text(3) === "yes") return;
      world.expect(rig.attentions.length > 0, "a line that was not read is announced");
      await rig.run(0x0a, 160);
      world.expect(rig.text(3) === "yes", "a line that is announced can be read");
    },
  };
}

describe("a 3215 that is halted while it reads", () => {
  it("ends the read and loses no line, whatever comes first", async () => {
    await assertSafe(halted());
  });

  it("would hang if it did not hear of halts", async () => {
    const result = await check(
      halted((console) => {
        console.halt = () => undefined;
      }),
    );
    assert.equal(result.verdict, "unsafe");
  });
});
