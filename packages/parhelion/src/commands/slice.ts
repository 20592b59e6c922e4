/** `parhelion slice`: shares of an adapter, made, looked at, resized, handed on and taken back while they are in use. */
import type { SliceStatus } from "parhelion-host";
import { CommandError } from "../command-error.js";
import { type LimitOptions, wishOf } from "../slice/limit-options.js";
import { SliceAccess, type SliceUse, withHost } from "../slice/slice-access.js";
import type { Terminal } from "../terminal.js";
import { slicesView, sliceView, typesView } from "../views/slice.js";

interface About {
  readonly state?: string;
  readonly json?: boolean;
}

interface OfGeneration {
  /** Refused when the slice has another one. */
  readonly generation?: number;
}

async function about({ state }: About, body: (slices: SliceAccess) => Promise<void>): Promise<number> {
  await withHost(state, (host) => body(new SliceAccess(host)));
  return 0;
}

function print(terminal: Terminal, json: boolean | undefined, value: unknown, view: () => string): void {
  terminal.out(json === true ? JSON.stringify(value, null, 2) : view());
}

export function sliceTypes(
  options: About & { readonly adapter?: string },
  terminal: Terminal,
): Promise<number> {
  return about(options, async (slices) => {
    const types = await slices.types(options.adapter);
    print(terminal, options.json, types, () => typesView(types));
  });
}

export interface SliceCreateCommand extends About, LimitOptions {
  readonly adapter?: string;
  readonly guest?: string;
  readonly local?: boolean;
  readonly vfio?: boolean;
  readonly unused?: boolean;
  readonly uuid?: string;
}

export function sliceCreate(options: SliceCreateCommand, terminal: Terminal): Promise<number> {
  const { adapter, guest, uuid, json } = options;
  return about(options, async (slices) => {
    const made = await slices.create({ wish: wishOf(options), adapter, guest, uuid, use: useOf(options) });
    print(terminal, json, made, () => made.uuid);
  });
}

function useOf({ local, vfio, unused }: SliceCreateCommand): SliceUse | null {
  if (local === true) return "local";
  if (vfio === true) return "vfio";
  return unused === true ? null : "projected";
}

export function sliceList(options: About, terminal: Terminal): Promise<number> {
  return about(options, async (slices) => {
    const all = await slices.list();
    print(terminal, options.json, all, () => slicesView(all));
  });
}

export function sliceShow(uuid: string, options: About, terminal: Terminal): Promise<number> {
  return about(options, async (slices) => {
    const found = await slices.find(uuid);
    print(terminal, options.json, found, () => sliceView(found));
  });
}

export function sliceResize(
  uuid: string,
  options: About & OfGeneration & LimitOptions,
  terminal: Terminal,
): Promise<number> {
  return about(options, async (slices) => {
    const changes = wishOf(options);
    if (Object.keys(changes).length === 0)
      throw new CommandError(
        "nothing-to-change",
        "nothing is to be changed",
        "name a limit; --help lists them",
      );
    const found = await slices.find(uuid);
    const changed = await slices.resize(found.uuid, changes, options.generation);
    tell(terminal, options, changed);
  });
}

export interface SliceMoveCommand extends About, OfGeneration {
  readonly guest?: string;
  readonly nobody?: boolean;
  readonly adapter?: string;
}

export function sliceMove(uuid: string, options: SliceMoveCommand, terminal: Terminal): Promise<number> {
  const { guest, nobody, adapter, generation } = options;
  return about(options, async (slices) => {
    if (guest === undefined && nobody !== true && adapter === undefined)
      throw new CommandError(
        "nothing-to-change",
        "the slice is to be moved nowhere",
        "say where to: --guest, --nobody or --adapter",
      );
    const found = await slices.find(uuid);
    const to = { guest: nobody === true ? null : guest, adapter };
    tell(terminal, options, await slices.move(found.uuid, to, generation));
  });
}

export function sliceRemove(
  uuids: readonly string[],
  options: About & OfGeneration,
  terminal: Terminal,
): Promise<number> {
  return about(options, async (slices) => {
    const found: SliceStatus[] = [];
    for (const uuid of uuids) found.push(await slices.find(uuid));
    for (const { uuid } of found) {
      await slices.remove(uuid, options.generation);
      if (options.json === true) terminal.out(JSON.stringify({ removed: uuid }));
    }
  });
}

/** Quiet where it went well, but for programs. */
function tell(terminal: Terminal, { json }: About, slice: SliceStatus): void {
  if (json === true) terminal.out(JSON.stringify(slice, null, 2));
}
