import assert from "node:assert/strict";
import { test } from "node:test";
import { AttachedDevice } from "parhelion-vfio";
import { datasetRecords } from "../image/dataset-blocks.js";
import { type HerculesImage, herculesFile } from "../image/hercules.test.fixture.js";
import { volumeDatasets, volumeLabel } from "../image/volume.js";
import { rig } from "../vfio-ccw/rig.test.fixture.js";
import { isBlockError } from "./error.js";
import { SubchannelDisk } from "./subchannel-disk.js";

/** A disk with the image's bytes, through its subchannel, and its image. */
async function opened(name: HerculesImage) {
  const machine = await rig();
  const { id, image } = await machine.disk({ content: herculesFile(`${name}.gz`) });
  const device = await AttachedDevice.open(machine.system, await machine.passThrough(id));
  return { machine, image, disk: await SubchannelDisk.use(machine.runtime, device) };
}

for (const name of ["loaded.ckd", "loaded-zlib.cckd"] as const)
  test(`each track of ${name} is the same through its subchannel as in its file`, async () => {
    const { machine, image, disk } = await opened(name);
    assert.deepEqual(disk.geometry, image.geometry);
    for (const track of [0, 1, 14, 15, 16, 30, image.geometry.tracks - 1])
      assert.deepEqual(plain(await disk.read(track)), plain(await image.read(track)), `track ${track}`);
    assert.deepEqual(await volumeLabel(disk), await volumeLabel(image));
    const datasets = await volumeDatasets(disk);
    assert.deepEqual(datasets, await volumeDatasets(image));
    const dataset = datasets.find((each) => each.organization === "PS");
    assert.ok(dataset !== undefined);
    const [there, here] = await Promise.all([
      all(datasetRecords(disk, dataset)),
      all(datasetRecords(image, dataset)),
    ]);
    assert.ok(there.length > 0 && there.equals(here));
    for (const track of [-1, image.geometry.tracks, 0.5])
      await assert.rejects(disk.read(track), (error) => isBlockError(error, "block-range"));
    await disk.close();
    await assert.rejects(disk.read(0), (error) => isBlockError(error, "block-closed"));
    await machine.end();
    assert.equal(machine.storage.used, 0);
  });

function plain({ home, records }: Awaited<ReturnType<SubchannelDisk["read"]>>) {
  return {
    home,
    records: records.map(({ key, data, ...count }) => ({ ...count, key: [...key], data: [...data] })),
  };
}

async function all(records: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const record of records) parts.push(record);
  return Buffer.concat(parts);
}
