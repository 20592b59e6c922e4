import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HostChannel } from "parhelion-buses";
import { type Clock, createRuntime, systemClock, type Uevent } from "parhelion-core";
import { guestCommand } from "parhelion-protocol";
import { type MachineRig, machineRig } from "./machine.test.fixture.js";
import { until } from "./rig.test.fixture.js";

/** The back-off of seconds takes as long as a turn; nothing else here waits for time. */
const hurried: Clock = { ...systemClock, setTimer: (_ms, fire) => systemClock.setTimer(1, fire) };

async function onMachine(run: (rig: MachineRig) => Promise<void>): Promise<void> {
  const rig = machineRig(createRuntime({ clock: { ...hurried, now: () => 0 } }), { host: "comes back" });
  try {
    await run(rig);
  } finally {
    await rig.stop();
  }
}

const luidOf = ({ machine }: MachineRig, node: string): unknown =>
  (machine.system.nodes.get(node) as { readonly vgpu?: { readonly luid: bigint } } | undefined)?.vgpu?.luid;

describe("a guest kernel whose host goes", () => {
  it("keeps its control node, and each vGPU comes back under its name, in whatever order it is offered", () =>
    onMachine(async (rig) => {
      const channels: HostChannel[] = [];
      let order = [0, 1, 2];
      await rig.start((host) => {
        host.offerGlobal(rig.hosts.length);
        for (const n of order) channels.push(host.offerVgpu(n));
      });
      const names = ["dxg0", "dxg1", "dxg2"];
      const before = names.map((name) => luidOf(rig, name));
      const control = rig.shelf.visit("dxg");
      await control.hello();
      order = [2, 1, 0];
      rig.pipe.cut();
      await until(() => rig.hosts.length === 2, "another host");
      await until(() => rig.machine.state === "running" && rig.machine.nodes.length === 3, "it is back");
      assert.deepEqual(
        names.map((name) => luidOf(rig, name)),
        before,
      );
      assert.ok(control.notices.some(({ name }) => name === "adaptersChanged"));
      control.leave();
    }));

  it("leaves the name of a vGPU that may come back to it, and gives a new one another", () =>
    onMachine(async (rig) => {
      let offered = [0, 1];
      await rig.start((host) => {
        host.offerGlobal(rig.hosts.length);
        for (const n of offered) host.offerVgpu(n);
      });
      const [, second] = ["dxg0", "dxg1"].map((name) => luidOf(rig, name));
      offered = [7];
      rig.pipe.cut();
      await until(() => rig.hosts.length === 2, "another host");
      await until(() => rig.machine.state === "running" && rig.machine.nodes.length === 1, "it is back");
      assert.deepEqual(rig.machine.nodes, ["dxg2"]);
      rig.hosts.at(-1)?.offerVgpu(1);
      await until(() => rig.machine.nodes.length === 2, "the second is back");
      assert.equal(luidOf(rig, "dxg1"), second);
    }));

  it("stops trying when the host does not know it any more, and says what the host said", () =>
    onMachine(async (rig) => {
      await rig.start();
      const said: string[] = [];
      rig.machine.onStateChange((state, { message }) => said.push(`${state}: ${message}`));
      rig.refuse = () => {
        throw Object.assign(new Error("the credential is no guest's"), { code: "guest-unknown" });
      };
      rig.pipe.cut();
      await until(() => rig.machine.state === "refused", "the refusal");
      assert.deepEqual(said, [
        "reconnecting: the connection was cut",
        "refused: ECONNREFUSED: the credential is no guest's",
      ]);
    }));

  it("goes on trying when the host is only not ready for it", () =>
    onMachine(async (rig) => {
      await rig.start();
      let refusals = 0;
      rig.refuse = () => {
        refusals += 1;
        if (refusals <= 5)
          throw Object.assign(new Error("one kernel at a time"), { code: "guest-connected" });
      };
      rig.pipe.cut();
      await until(() => refusals > 5 && rig.machine.state === "running", "it is let in");
      assert.equal(refusals, 6);
    }));
});

describe("news of the host", () => {
  it("of a slice's memory reaches every application at the vGPU, and those who listen to the device tree", () =>
    onMachine(async (rig) => {
      const channels: HostChannel[] = [];
      await rig.start((host) => {
        host.offerGlobal();
        channels.push(host.offerVgpu(0));
      });
      const uevents: Uevent[] = [];
      rig.machine.onUevent((event) => uevents.push(event));
      const applications = [rig.shelf.visit("dxg0"), rig.shelf.visit("dxg0")];
      for (const application of applications) await application.hello();
      const memory = { limit: 100n, used: 7n, reserved: 50n };
      channels[0]?.notify(guestCommand.memoryChanged, memory);
      await until(() => applications.every(({ notices }) => notices.length > 0), "the news");
      for (const { notices } of applications)
        assert.deepEqual(notices, [{ name: "memoryChanged", value: memory }]);
      const text = JSON.stringify(uevents.find(({ action }) => action === "change"));
      assert.match(text, /MEMORY_LIMIT.*100.*MEMORY_USED.*7.*MEMORY_RESERVED.*50/);
      for (const application of applications) application.leave();
    }));

  it("of a vGPU that appears or goes reaches who has the control node open, when it can be opened", () =>
    onMachine(async (rig) => {
      const host = await rig.start((contact) => contact.offerGlobal());
      const control = rig.shelf.visit("dxg");
      await control.hello();
      const channel = host.offerVgpu(0);
      await until(() => control.notices.length === 1, "the news of its coming");
      const application = rig.shelf.visit("dxg0");
      await application.hello();
      channel.rescind("the administrator removed it");
      await until(() => control.notices.length === 2, "the news of its going");
      assert.equal(await application.gone(), "dxg0 is gone: the administrator removed it");
      control.leave();
    }));
});
