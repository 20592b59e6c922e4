/** A machine in this process with disk images behind subchannels that are passed through, for `ccw.mjs`. */
import { join } from "node:path";
import { CssBus, MdevBus, subchannelName } from "../packages/buses/dist/index.js";
import {
  blockBytes,
  blocksPerTrack,
  CcwBlockDevice,
  ChannelSubsystem,
  Dasd3390,
  DiskImage,
  encodeTrack,
  HostStorage,
  VfioCcw,
} from "../packages/ccw/dist/index.js";
import { System } from "../packages/core/dist/index.js";
import { loadKoffi, Vfio, VfioUserServer } from "../packages/vfio/dist/index.js";

const HEADS = 15;
export const TRACK_SIZE = 56_832;
const HEADER_SIZE = 512;
/** Where the first block of a track begins in it: home address, record zero, a count. */
const FIRST_BLOCK = 5 + 16 + 8;

export const tracksOf = (cylinders) => cylinders * HEADS;
export const trackOffset = (track) => HEADER_SIZE + track * TRACK_SIZE;
export const blockOffset = (block) =>
  trackOffset(Math.floor(block / blocksPerTrack)) + FIRST_BLOCK + (block % blocksPerTrack) * (8 + blockBytes);

export function imageBytes(cylinders) {
  const tracks = tracksOf(cylinders);
  const bytes = new Uint8Array(trackOffset(tracks));
  const view = new DataView(bytes.buffer);
  bytes.set(Buffer.from("CKD_P370", "latin1"));
  view.setUint32(8, HEADS, true);
  view.setUint32(12, TRACK_SIZE, true);
  bytes[16] = 0x90;
  for (let track = 0; track < tracks; track += 1) {
    const home = { cylinder: Math.floor(track / HEADS), head: track % HEADS };
    const record = (number, length) => ({
      ...home,
      record: number,
      key: new Uint8Array(0),
      data: new Uint8Array(length).fill(track + number),
    });
    const records = [record(0, 8)];
    for (let number = 1; number <= blocksPerTrack; number += 1) records.push(record(number, blockBytes));
    bytes.set(encodeTrack({ home, records }), trackOffset(track));
  }
  return bytes;
}

export async function machine(paths, durable) {
  const system = new System();
  const { runtime } = system;
  const storage = new HostStorage(runtime);
  const subsystem = new ChannelSubsystem(runtime, { storage });
  const css = new CssBus(system, subsystem);
  const mdev = new MdevBus(system);
  const vfio = await Vfio.create(system);
  await css.start();
  const ccw = new VfioCcw({ css, mdev, vfio, storage });
  await ccw.register();
  const disks = [];
  for (const [index, path] of paths.entries()) {
    const image = await DiskImage.open(path, { access: "read-write" });
    const device = new Dasd3390(image, { durable });
    disks.push({ image, id: subsystem.attach({ device, devno: 0x100 + index, chpids: [0x10] }) });
  }
  for (let tries = 0; css.subchannels().length < disks.length && tries < 100; tries += 1) await css.settle();
  await system.waitForProbe();
  const nodes = [];
  for (const [index, { id }] of disks.entries()) {
    const uuid = `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`;
    const { devpath } = css.find(subchannelName(id));
    await system.sysfs.write(`/sys${devpath}/mdev_supported_types/vfio_ccw-io/create`, uuid);
    nodes.push([...mdev.find(uuid).children].find(({ name }) => name.startsWith("vfio")));
  }
  const closers = [];
  return {
    /** Opens them in this process. */
    async open(transferBlocks) {
      const devices = [];
      for (const { name } of nodes) devices.push(await CcwBlockDevice.open(system, name, { transferBlocks }));
      closers.push(...devices.map((device) => () => device.close()));
      return devices;
    },
    /** Serves each on a socket of its own, for another process. @returns their paths */
    async serve(folder) {
      const sockets = [];
      for (const [index, { name: device }] of nodes.entries()) {
        const socketPath = join(folder, `${index}.sock`);
        const server = await VfioUserServer.listen(system, { device, socketPath, koffi: await loadKoffi() });
        closers.push(() => server.close());
        sockets.push(socketPath);
      }
      return sockets;
    },
    async end() {
      for (const close of closers) await close();
      await ccw.unregister();
      await vfio.close();
      await mdev.unregister();
      await css.stop();
      for (const { image } of disks) await image.close();
    },
  };
}
