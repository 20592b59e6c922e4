/** Disks behind subchannels, each served on a socket of its own by this process. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadKoffi, VfioUserServer } from "parhelion-vfio";
import { type DiskInit, type Rig, type RigDisk, rig } from "../vfio-ccw/rig.test.fixture.js";

export interface ServedDisk extends RigDisk {
  readonly server: VfioUserServer;
  readonly path: string;
  /** Of its image. */
  readonly file: string;
  /** Settles when its guest's device is closed. */
  abandoned(): Promise<void>;
}

export interface Served extends Rig {
  serve(init?: DiskInit): Promise<ServedDisk>;
  /** Takes everything down: nothing may be left of any guest. @param look at the images, which are closed then */
  finish(look?: () => Promise<void>): Promise<void>;
}

export async function served(options: Parameters<typeof rig>[0] = {}): Promise<Served> {
  const machine = await rig(options);
  const directory = mkdtempSync(join(tmpdir(), "parhelion-e2e-"));
  const servers: VfioUserServer[] = [];
  return {
    ...machine,
    async serve(init) {
      const disk = await machine.disk(init);
      const path = join(directory, `${servers.length}.sock`);
      const device = await machine.passThrough(disk.id);
      const server = await VfioUserServer.listen(machine.system, {
        device,
        socketPath: path,
        koffi: await loadKoffi(),
      });
      servers.push(server);
      return {
        ...disk,
        server,
        path,
        file: disk.path,
        async abandoned() {
          while (server.clients > 0) await new Promise((resolve) => setTimeout(resolve, 5));
        },
      };
    },
    async finish(look) {
      for (const server of servers) await server.close();
      await machine.end(look);
      rmSync(directory, { recursive: true });
      assert.equal(machine.storage.used, 0, "frames of main storage are left");
      const errors = machine.log.filter(({ level }) => level === "error");
      assert.deepEqual(
        errors.map(({ event, fields }) => `${event} ${String(fields["error"])}`),
        [],
      );
    },
  };
}
