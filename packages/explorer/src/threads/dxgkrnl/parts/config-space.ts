/**
 * The part of a vGPU function's PCI configuration space that the host answers by itself. A register is what one side
 * writes or reads there, not the bytes at its offset: at 212 the guest writes its capabilities and reads a LUID.
 */
import type { Named } from "parhelion-core";
import type { World } from "../../../program.js";

/** In bytes. Where two registers have one offset, one is only written and the other only read. */
export const layout = {
  channelInstance: { offset: 192, size: 16, access: "read" },
  interfaceVersion: { offset: 208, size: 4, access: "read and write" },
  guestCaps: { offset: 212, size: 4, access: "write" },
  hostLuid: { offset: 212, size: 8, access: "read" },
  hostCaps: { offset: 220, size: 4, access: "read" },
} as const;

export interface Readable {
  readonly channelInstance: string;
  /** The newest the host knows; 0 from a host that is older than the register. */
  readonly interfaceVersion: number;
  /** Only from version 40 on. */
  readonly hostLuid: number;
  readonly hostCaps: number;
}

export interface Writable {
  /** The version that the guest accepts. */
  readonly interfaceVersion: number;
  readonly guestCaps: number;
}

export interface HostSide {
  readonly instance: string;
  readonly version: number;
  readonly luid?: number;
}

export const versionOld = 27;
export const versionExtended = 40;

/** From version 40 on, 16 bytes with the function's LUID come before the command header. */
export function headerBytes(version: number): number {
  return version >= versionExtended ? 40 : 24;
}

export class ConfigSpace implements Named {
  readonly name: string;
  readonly #world: World;
  readonly #host: HostSide;
  #accepted = versionOld;
  #guestCaps = 0;

  constructor(world: World, name: string, host: HostSide) {
    this.#world = world;
    this.name = `config space of ${name}`;
    this.#host = host;
  }

  /** What the host takes the guest to speak, and so how it reads messages. */
  get accepted(): number {
    this.#world.reads(this);
    return this.#accepted;
  }

  get guestCaps(): number {
    this.#world.reads(this);
    return this.#guestCaps;
  }

  async read<R extends keyof Readable>(register: R): Promise<Readable[R]> {
    await this.#world.point(`read ${register}`);
    this.#world.reads(this);
    const { instance, version, luid } = this.#host;
    const values: Readable = {
      channelInstance: instance,
      interfaceVersion: version,
      hostLuid: luid ?? 0,
      hostCaps: 0,
    };
    return values[register];
  }

  async write<R extends keyof Writable>(register: R, value: Writable[R]): Promise<void> {
    await this.#world.point(`write ${register}`);
    this.#world.writes(this);
    if (register === "guestCaps") this.#guestCaps = value;
    else this.#accepted = value;
  }
}

/** What the function and its host agree on. */
export async function negotiate(config: ConfigSpace): Promise<number> {
  await config.write("guestCaps", 1);
  const offered = await config.read("interfaceVersion");
  if (offered < versionExtended) return offered === 0 ? versionOld : offered;
  await config.write("interfaceVersion", versionExtended);
  return versionExtended;
}
