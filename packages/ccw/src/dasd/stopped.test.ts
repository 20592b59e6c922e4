/** A channel program that is stopped while a record is on its way: the record is what it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dstat } from "parhelion-buses";
import type { Command, DataPath } from "../interpreter/device.js";
import { attached } from "./attached.test.fixture.js";
import { cchh, count, defineExtent, locate, run, write } from "./channel.test.fixture.js";

const fine = Dstat.CHN_END | Dstat.DEV_END;
const home = cchh(0, 9);
const format = [
  defineExtent({ mask: 0xc0 }),
  locate({ operation: 0x03, count: 2, seek: home }),
  write(0x1d, count(0, 9, 1, 0, 512), new Uint8Array(512).fill(0xd1)),
  write(0x1d, count(0, 9, 2, 0, 512), new Uint8Array(512).fill(0xd2)),
];

/** Gives so many bytes, and then nothing, because the channel was stopped. */
class StoppedPath implements DataPath {
  readonly #given: number;
  state: "open" | "cut" = "open";

  constructor(given: number) {
    this.#given = given;
  }

  accept(): void {}

  async receive(length: number): Promise<Uint8Array> {
    if (length > this.#given) this.state = "cut";
    return new Uint8Array(Math.min(length, this.#given)).fill(0xee);
  }

  receiveRest(most: number): Promise<Uint8Array> {
    return this.receive(most);
  }

  async send(): Promise<number> {
    return 0;
  }
}

const whole = (bytes: Uint8Array): DataPath => {
  const receive = async (length: number) => bytes.subarray(0, length);
  return { accept: () => undefined, receive, receiveRest: receive, send: async () => 0 };
};

for (const given of [0, 8, 100])
  test(`a channel that stops after ${given} bytes of a record writes none of them`, async () => {
    const { image, device } = await attached();
    assert.equal((await run(device, format)).status, fine);
    const before = await image.read(9);
    const path = { chpid: 0x10, mask: 0x80 };
    for (const [operation, code] of [
      [0x01, 0x85],
      [0x03, 0x1d],
    ] as const) {
      const orders = [
        defineExtent({ mask: operation === 1 ? 0x80 : 0xc0 }),
        locate({ operation, count: 2, seek: home, record: operation === 1 ? 1 : 0 }),
      ];
      let chained = false;
      for (const order of orders) {
        if (!("write" in order)) continue;
        const command: Command = { code: order.code, kind: "control", chained, path };
        await device.execute(command, whole(order.write));
        chained = true;
      }
      const command: Command = { code, kind: "write", chained, path };
      const ending = await device.execute(command, new StoppedPath(given));
      assert.equal(ending.status, fine);
      const end = await device.programEnd?.();
      assert.equal(end?.status ?? fine, fine);
      if (operation === 0x01) assert.deepEqual(await image.read(9), before);
      else {
        // Of a track that is formatted what follows is gone, and what is there is whole.
        const { records } = await image.read(9);
        assert.ok(records.every(({ data }) => data.every((byte) => byte !== 0xee)));
      }
    }
  });
