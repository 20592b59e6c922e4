import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";

/** An old ccw driver holds its device's events back, decides, and sends the add by hand: by then a driver may be bound. */
function lateAdd(sent: "by hand, after the decision" | "by the core, at once"): Program {
  return {
    name: `a device's add is sent ${sent} while a driver is bound to it`,
    setup(world) {
      const driver = world.atomic("driver", "");
      const heard: string[] = [];
      const events = { name: "events" };
      const add = async () => {
        const bound = await driver.load();
        world.writes(events);
        heard.push(bound === "" ? "add" : `add DRIVER=${bound}`);
      };
      const bind = async () => {
        await driver.store("io_subchannel");
        world.writes(events);
        heard.push("bind");
      };
      if (sent === "by hand, after the decision") {
        world.task("decide", add);
        world.task("bind", bind);
      } else {
        world.task("core", async () => {
          await add();
          await bind();
        });
      }
      return heard;
    },
    after(heard, world) {
      const first = (heard as readonly string[])[0];
      world.expect(first === "add", `the first that is heard is ${first}`);
      return Promise.resolve();
    },
  };
}

export const lateAddByHand: Dispute = {
  id: "D9.8",
  thread: "uevents",
  title: "Events held back, and the add sent by hand",
  argued:
    "Subchannels held their events back until a driver had decided. Cornelia Huck hoped that this dance could go.",
  found:
    "Sent by hand, the add can come after the bind, or name a driver already. Sent by the core before the first probe it can't.",
  variants: [
    {
      name: "held back, sent by hand",
      program: lateAdd("by hand, after the decision"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "sent by the core before the first probe",
      program: lateAdd("by the core, at once"),
      expected: "safe",
    },
  ],
};
