/** Programs of a guest, translated, and what the machine finds of them. */
import assert from "node:assert/strict";
import { type Ccw1, ccw1, type Orb, orb as orbLayout } from "parhelion-buses";
import { createRuntime } from "parhelion-core";
import { HostStorage } from "../host-storage.js";
import { ChannelProgram } from "./channel-program.js";
import { Guest } from "./guest.test.fixture.js";
import { translate } from "./translate.js";

export function setup(guest = new Guest()) {
  const storage = new HostStorage(createRuntime());
  const program = new ChannelProgram(guest, storage);
  return { guest, storage, program };
}

export function orbOf(parts: Partial<Orb>): Orb {
  return orbLayout.make({ fmt: 1, pfch: 1, ...parts });
}

export interface Translated {
  readonly guest: Guest;
  readonly storage: HostStorage;
  readonly program: ChannelProgram;
  /** That the machine gets. */
  readonly orb: Orb;
}

export async function translated(guest: Guest, parts: Partial<Orb>): Promise<Translated> {
  const made = setup(guest);
  assert.equal(await translate(made.program, orbOf(parts)), null);
  const orb = orbLayout.make(made.program.orb(7, 0x80));
  return { ...made, orb };
}

export function ccwAt({ storage }: Translated, address: number): Ccw1 {
  return ccw1.decode(storage.read(address, 8, 0) as Uint8Array);
}

/** The machine's addresses of the data, by IDAW. */
export function idawsAt({ storage }: Translated, address: number, count: number): number[] {
  const bytes = storage.read(address, count * 8, 0) as Uint8Array;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, index) => Number(view.getBigUint64(index * 8)));
}

export async function codeOf(guest: Guest, parts: Partial<Orb>): Promise<string | undefined> {
  const { program, storage } = setup(guest);
  const error = await translate(program, orbOf(parts));
  program.free();
  assert.equal(storage.used, 0);
  assert.equal(guest.pins.size, 0);
  return error?.code;
}
