/** D2.4: the host refuses the I/O window once, after which all would be well. */
import { Device, KernelError, Mutex, type Work, WorkQueue } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";
import { createMachine, driverOf, takeDown } from "../parts/machine.js";

type Retry = "by the next probe" | "by deferring the probe" | "by a work item";

function program(retry: Retry): Program {
  return define({
    name: `the window is refused once, tried again ${retry}`,
    setup(world) {
      const machine = createMachine(world);
      const { system, vmbus } = machine;
      const lock = new Mutex(world.runtime, "device_mutex");
      const queue = new WorkQueue(world.runtime, "start");
      const host = world.track("host", { refusals: 1 });
      const global = world.track("dxgglobal", { channel: false, global: false, adapter: "waiting" });
      const setWindow = (): boolean => {
        host.refusals -= 1;
        return host.refusals < 0;
      };
      const start = async (): Promise<"refused" | "as far as it goes"> => {
        if (!global.global || !global.channel || global.adapter === "active") return "as far as it goes";
        await world.point("tell the host the window");
        if (!setWindow()) return "refused";
        global.adapter = "active";
        return "as far as it goes";
      };
      const work: Work = {
        name: "start",
        run: async () => {
          if ((await lock.withLock(start)) === "refused") queue.queue(work);
        },
      };
      const driver = driverOf<Device>("dxgkrnl", vmbus, async (device) => {
        const how = await lock.withLock(() => {
          global[device.name as "channel" | "global"] = true;
          return start();
        });
        if (how !== "refused") return;
        if (retry === "by a work item") queue.queue(work);
        if (retry === "by deferring the probe")
          throw new KernelError("EPROBE_DEFER", "the window was refused");
      });
      const devices = ["channel", "global"].map((name) => new Device(world.runtime, { name, bus: vmbus }));
      for (const device of devices) world.task(`${device.name} appears`, () => system.addDevice(device));
      return { machine, driver, devices, global, queue };
    },
    async before({ machine, driver }) {
      await machine.system.registerDriver(driver);
    },
    async after({ machine, driver, devices, global, queue }, world) {
      await machine.system.waitForProbe();
      await queue.flush();
      world.expect(global.adapter === "active", "everything is there, and the adapter waits for good");
      await takeDown(machine, [driver], devices);
    },
  });
}

export const lostRetry: Dispute = {
  id: "D2.4",
  thread: "dxgkrnl",
  title: "One refusal by the host, and nobody tries again",
  argued:
    "Starting is tried by each probe. When the last one fails nothing is left that would try once more.",
  found:
    "As posted the adapter waits for good in every order: the refusal always meets the last probe. Deferring " +
    "that probe helps only while another binding is not complete: the core tries deferred devices again when " +
    "something binds, and after the last one nothing does. A work item that tries again until it succeeds " +
    "holds in every order.",
  variants: [
    {
      name: "as posted: the next probe",
      program: program("by the next probe"),
      expected: "unsafe",
      finds: "expectation",
    },
    {
      name: "the failing probe says EPROBE_DEFER",
      program: program("by deferring the probe"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "a work item of its own", program: program("by a work item"), expected: "safe" },
  ],
};
