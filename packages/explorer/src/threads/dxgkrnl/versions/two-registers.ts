/** D4.4: the guest writes its capabilities at 212 and reads a LUID there. */
import type { Program, World } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { ConfigSpace, layout } from "../parts/config-space.js";
import { define } from "../parts/define.js";

const luid = 0x1234;

interface Function {
  writeCaps(caps: number): Promise<void>;
  readLuid(): Promise<number>;
}

/** Bytes that keep what was written to them, as a structure laid over memory suggests. */
function memoryLike(world: World): Function {
  const bytes = new DataView(new ArrayBuffer(256));
  bytes.setUint32(layout.hostLuid.offset, luid, true);
  return {
    async writeCaps(caps) {
      await world.point("write");
      bytes.setUint32(layout.guestCaps.offset, caps, true);
    },
    async readLuid() {
      await world.point("read");
      return bytes.getUint32(layout.hostLuid.offset, true);
    },
  };
}

function registers(world: World): Function {
  const config = new ConfigSpace(world, "F1", { instance: "channel 1", version: 40, luid });
  return {
    writeCaps: (caps) => config.write("guestCaps", caps),
    readLuid: () => config.read("hostLuid"),
  };
}

function program(name: string, create: (world: World) => Function): Program {
  return define({
    name,
    setup(world) {
      const device = create(world);
      world.task("probe", async () => {
        await device.writeCaps(1);
        const read = await device.readLuid();
        world.expect(read === luid, `the LUID is ${read}: the guest reads back its own capabilities`);
      });
    },
  });
}

export const twoRegisters: Dispute = {
  id: "D4.4",
  thread: "dxgkrnl",
  title: "One offset, two registers",
  argued: "Offsets are computed by adding sizes; the reviewer: put a structure on top of the memory instead.",
  found:
    "There is nothing to interleave: a structure over memory is wrong in its only run, for at 212 the host " +
    "reads capabilities and answers a LUID. What helps is a description of registers with a direction each.",
  variants: [
    {
      name: "as proposed: a structure over memory",
      program: program("memory at 212", memoryLike),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "two registers at one offset",
      program: program("registers at 212", registers),
      expected: "safe",
    },
  ],
};
