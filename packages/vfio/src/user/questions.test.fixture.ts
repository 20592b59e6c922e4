/** Questions of a client, put together by hand, and a client that is connected while a test runs. */
import koffi from "koffi";
import { Client, struct } from "./client.test.fixture.js";
import { type Stage, stage } from "./machine.test.fixture.js";
import type { KoffiModule } from "./socket/libc.js";

export const withDescriptors = { koffi: koffi as unknown as KoffiModule };

export const mapBody = (iova: bigint, size: number, offset = 0, flags = 3): Buffer =>
  struct(["u32", 32], ["u32", flags], ["u64", offset], ["u64", iova], ["u64", size]);
export const unmapBody = (iova: bigint, size: number, flags = 0): Buffer =>
  struct(["u32", 24], ["u32", flags], ["u64", iova], ["u64", size]);
export const access = (region: number, offset: number, count: number): Buffer =>
  struct(["u64", offset], ["u32", region], ["u32", count]);
export const writeBody = (region: number, offset: number, data: Uint8Array): Buffer =>
  Buffer.concat([access(region, offset, data.length), data]);
export const irqsBody = (
  flags: number,
  index: number,
  start: number,
  count: number,
  data = Buffer.alloc(0),
): Buffer =>
  struct(["u32", 20 + data.length], ["u32", flags], ["u32", index], ["u32", start], ["u32", count], data);
export const feature = (flags: number, data: Uint8Array = Buffer.alloc(0), argsz = 8 + data.length): Buffer =>
  struct(["u32", argsz], ["u32", flags], data);

/** The registers of the machine, and what it is to do, in one write each. */
export async function act(
  client: Client,
  action: number,
  iova = 0n,
  length = 0,
  index = 0,
  vector = 0,
): Promise<number> {
  await client.must(
    10,
    writeBody(1, 4, struct(["u32", length], ["u64", iova], ["u32", index], ["u32", vector])),
  );
  return (await client.call(10, writeBody(1, 0, struct(["u32", action])))).errno;
}

export async function withClient(
  options: Parameters<typeof stage>[0],
  body: (client: Client, staged: Stage) => Promise<void>,
  capabilities?: object,
): Promise<void> {
  const staged = await stage(options);
  try {
    const client = await Client.greet(staged.server.socketPath, capabilities);
    await body(client, staged);
    await client.hangUp();
  } finally {
    await staged.end();
  }
}
