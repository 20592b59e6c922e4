import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isControlError, SYS_SOCKET, SysClient } from "parhelion-protocol";
import {
  errorOf,
  inWorkplace,
  nodeWords,
  type Running,
  until,
  type Workplace,
} from "../command.test.fixture.js";

/** Uses a GPU, says when it has one and when it loses it, and then looks for the next one. */
const phoenix = `
  for (let round = 1; ; round++) {
    const adapter = await navigator.gpu.requestAdapter();
    if (adapter === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      round -= 1;
      continue;
    }
    const device = await adapter.requestDevice();
    console.log("device " + round);
    const alive = setInterval(() => {}, 1000);
    const { reason } = await device.lost;
    clearInterval(alive);
    console.log("lost " + round + " " + reason);
  }`;

interface Inside {
  readonly program: Running;
  readonly directory: string;
  /** The guest's only slice. */
  readonly uuid: string;
}

async function programInGuest(place: Workplace): Promise<Inside> {
  await place.host();
  const program = place.start(["run", "--name", "mine", "--", ...nodeWords(phoenix)]);
  await program.says("device 1");
  const [guest] = (await place.status()).guests;
  return { program, directory: guest?.directory ?? "", uuid: guest?.slices[0] ?? "" };
}

async function quietly(place: Workplace, ...words: readonly string[]): Promise<void> {
  const { status, out, err } = await place.run(words);
  assert.deepEqual([status, out, err], [0, "", ""], words.join(" "));
}

test("unbinding a slice takes it from its guest, and binding it again gives it back, as often as one likes", () =>
  inWorkplace(async (place) => {
    const { program, directory, uuid } = await programInGuest(place);
    for (let round = 1; round <= 3; round++) {
      await quietly(place, "unbind", uuid, "projected");
      await program.says(`lost ${round}`);
      await until("the node has gone", () => !existsSync(join(directory, "dxg0")));
      assert.deepEqual((await place.status()).guests[0]?.slices, []);
      await quietly(place, "bind", uuid.slice(0, 8), "projected");
      await program.says(`device ${round + 1}`);
    }
    assert.deepEqual((await place.status()).guests[0]?.slices, [uuid]);
    const done = await place.json("unbind", `/sys/bus/mdev/devices/${uuid}`);
    assert.deepEqual(done, { unbound: `/sys/devices/adapter0/${uuid}`, driver: "projected" });
    program.kill("SIGTERM");
    await program.ended;
  }));

test("in a guest, unbinding dxg takes the node away and binding brings it back, from outside and from inside", () =>
  inWorkplace(async (place) => {
    const { program, directory } = await programInGuest(place);
    const guests = [
      { words: ["--guest", "mine"], environment: {} },
      { words: [], environment: { PARHELION_DIR: directory } },
    ];
    for (const [index, { words, environment }] of guests.entries()) {
      const change = async (...command: readonly string[]) => {
        const { status, err } = await place.run([...command, ...words], { environment });
        assert.deepEqual([status, err], [0, ""], command.join(" "));
      };
      await change("unbind", "0001:00:00.0", "dxg");
      await program.says(`lost ${index + 1}`);
      await until("the node has gone", () => !existsSync(join(directory, "dxg0")));
      await change("bind", "0001:00:00.0", "dxg");
      await program.says(`device ${index + 2}`);
    }
    assert.equal((await place.status()).slices.length, 1, "the host offers it all the while");
    program.kill("SIGTERM");
    await program.ended;
  }));

test("bound and unbound from both sides at once, whatever comes of it can be put right, and nothing is left", () =>
  inWorkplace(async (place) => {
    const { program, directory, uuid } = await programInGuest(place);
    const host = await SysClient.connect(join(place.state, SYS_SOCKET));
    const guest = await SysClient.connect(join(directory, SYS_SOCKET));
    const refusals = new Set<string>();
    const tryTo = async (client: SysClient, path: string, name: string): Promise<void> => {
      await client.write(path, `${name}\n`).catch((error: unknown) => {
        assert.ok(isControlError(error), String(error));
        refusals.add(error.code);
      });
    };
    const projected = "/sys/bus/mdev/drivers/projected";
    const inGuest = ["pci/drivers/dxg", "vmbus/drivers/dxg-vgpu", "vmbus/drivers/pci-passthrough"];
    const everyDevice = async (driver: string, verb: string): Promise<void> => {
      const devices = await guest.list(`/sys/bus/${driver.split("/")[0]}/devices`);
      for (const { name } of devices) await tryTo(guest, `/sys/bus/${driver}/${verb}`, name);
    };
    const often = async (what: () => Promise<void>): Promise<void> => {
      for (let round = 0; round < 60; round++) await what();
    };
    try {
      await Promise.all([
        often(() => tryTo(host, `${projected}/unbind`, uuid)),
        often(() => tryTo(host, `${projected}/bind`, uuid)),
        ...inGuest.flatMap((driver) =>
          ["unbind", "bind"].map((verb) => often(() => everyDevice(driver, verb))),
        ),
      ]);
      for (const code of refusals) assert.ok(["ENODEV", "EBUSY", "EAGAIN"].includes(code), code);
      await tryTo(host, `${projected}/unbind`, uuid);
      const times = (what: string): number => program.out.split(what).length - 1;
      const node = join(directory, "dxg0");
      await until("all is gone", () => !existsSync(node) && times("lost") === times("device"));
      await host.write(`${projected}/bind`, `${uuid}\n`);
      await until("the program has a device again", () => times("device") > times("lost"));
      assert.equal(program.err, "");
    } finally {
      host.close();
      guest.close();
    }
    program.kill("SIGTERM");
    await program.ended;
  }));

test("what can't be bound or unbound is said, with what can", () =>
  inWorkplace(async (place) => {
    await place.host();
    const guest = place.start(["guest"]);
    await guest.says("NODE_OPTIONS");
    const [uuid = ""] = (await place.status()).guests[0]?.slices ?? [];
    const refusal = async (...words: readonly string[]) => errorOf(await place.run([...words, "--json"]));
    const bound = await refusal("bind", uuid, "projected");
    assert.deepEqual([bound.code, bound.remedy], ["EBUSY", "`parhelion unbind` what is bound to it first"]);
    const wrongDriver = await refusal("bind", uuid, "projecte");
    assert.deepEqual(
      [wrongDriver.code, wrongDriver.remedy],
      ["ENODEV", "did you mean projected? it has local, projected, vfio"],
    );
    const nobody = await refusal("bind", "adapter1", "projected");
    assert.equal(nobody.code, "ENODEV");
    assert.match(nobody.remedy, /^did you mean adapter0\? there are adapter0 \(adapter\), .* \(mdev\)$/);
    const none = await refusal("unbind", "adapter0");
    assert.deepEqual([none.code, none.message], ["ENODEV", "ENODEV: no driver is bound to adapter0"]);
    const other = await refusal("unbind", uuid, "else");
    assert.equal(other.message, `ENODEV: ${uuid} is bound to projected, not to else`);
    const noDevice = await refusal("unbind", "/sys/bus/mdev");
    assert.equal(noDevice.code, "EINVAL");
    const second = place.start(["guest"]);
    await second.says("NODE_OPTIONS");
    const several = await refusal("unbind", "", "projected");
    assert.equal(several.code, "ENODEV", "no name is the beginning of all names");
    guest.kill("SIGTERM");
    second.kill("SIGTERM");
    await Promise.all([guest.ended, second.ended]);
  }));
