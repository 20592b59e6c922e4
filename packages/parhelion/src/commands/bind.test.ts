import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
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
      ["ENODEV", "did you mean projected? it has projected"],
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
