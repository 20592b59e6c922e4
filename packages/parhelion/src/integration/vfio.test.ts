/** A slice's engine used by somebody who has nothing but a vfio-user socket: registers, a doorbell, and memory of his own. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  CommandStream,
  connectQueue,
  EventReader,
  encode,
  HANDLE,
  type Handled,
  InterfaceKind,
  KIND,
  OWNER,
  QUEUE_HANDLE,
} from "parhelion-protocol";
import { VgpuRegister, VgpuStatus } from "parhelion-vfio";
import { inWorkplace } from "../command.test.fixture.js";
import { VgpuDriver } from "../vfio/driver.test.fixture.js";

/** GPUBufferUsage. */
const Usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8 } as const;
const source = 3;
const target = 4;
const encoder = 5;
const commands = 6;

test("commands and a queue's bytes reach the GPU by doorbell and shared memory, and the result comes back", () =>
  inWorkplace(async (place) => {
    await place.host();
    const uuid = (await place.run(["slice", "create", "--vfio"])).out.trim();
    const serve = place.start(["vfio", "serve", uuid, "--socket", "v"]);
    await serve.says("serving");
    const driver = await VgpuDriver.connect(join(place.directory, "v"));
    const { token, slice, generation } = await driver.createQueue();
    assert.equal(slice, uuid);
    const path = join(place.directory, "q");
    await driver.carry(path);
    const port = await connectQueue({ endpoint: { path }, token, owner: { slice, generation } });
    const owner = {};
    const stream = new CommandStream({ tx: port.tx, owner, features: new Set(), importForeign: () => 0 });
    const handle = (kind: number, id: number): Handled => ({ [KIND]: kind, [HANDLE]: id, [OWNER]: owner });
    const buffer = (id: number): Handled => handle(InterfaceKind.GPUBuffer, id);
    const data = Uint8Array.from({ length: 65_536 }, (_, i) => i * 31);
    const mapped = new Promise<Uint8Array>((resolve, reject) => {
      let bytes = new Uint8Array(0);
      const failed = (what: string) => (_: unknown, message: string) =>
        reject(new Error(`${what}: ${message}`));
      const reader = new EventReader(port.rx);
      port.onReadable(() =>
        reader.read({
          replyWorkDone: () => undefined,
          replyMap: (_request, result, total, name, message) => {
            if (result === "error") reject(new Error(`${name}: ${message}`));
            bytes = new Uint8Array(total);
          },
          mapData: (_request, last, offset, part) => {
            bytes.set(part, offset);
            if (last) resolve(bytes);
          },
          replyErrorScope: () => undefined,
          replyPipeline: () => undefined,
          replyCompilationInfo: () => undefined,
          uncapturedError: failed("uncaptured error"),
          deviceLost: failed("device lost"),
        }),
      );
      port.onClose(reject);
    });
    port.ref();
    const size = data.length;
    encode.deviceCreateBuffer(stream, 1, source, { size, usage: Usage.COPY_SRC | Usage.COPY_DST });
    encode.deviceCreateBuffer(stream, 1, target, { size, usage: Usage.COPY_DST | Usage.MAP_READ });
    encode.queueWriteBuffer(stream, QUEUE_HANDLE, buffer(source), 0, data);
    encode.deviceCreateCommandEncoder(stream, 1, encoder);
    encode.commandEncoderCopyBufferToBuffer(stream, encoder, buffer(source), 0, buffer(target), 0, size);
    encode.commandEncoderFinish(stream, encoder, commands);
    encode.queueSubmit(stream, QUEUE_HANDLE, [handle(InterfaceKind.GPUCommandBuffer, commands)]);
    encode.bufferMapAsync(stream, target, 1, Usage.MAP_READ);
    stream.flush();
    port.expectReply();
    assert.deepEqual(await mapped, data);
    assert.equal((await driver.register(VgpuRegister.status)) & VgpuStatus.failed, 0);
    port.close();
    driver.client.close();
    serve.kill("SIGTERM");
    assert.equal((await serve.ended).status, 0);
  }));
