/**
 * A parent's `mdev_supported_types`, in which whoever may write makes devices of it (after drivers/vfio/mdev/mdev_sysfs.c
 * and Documentation/ABI/testing/sysfs-bus-vfio-mdev).
 */
import { type Attribute, type AttributeGroup, byteLength, KernelError } from "parhelion-core";
import type { MdevDevice } from "./device.js";
import type { MdevType } from "./type.js";
import { parseUuid } from "./uuid.js";

export const typesDirectory = "mdev_supported_types";

/** What the directories show, and what writing to `create` does. */
export interface TypeSource {
  readonly driverName: string;
  create(typeName: string, uuid: string): Promise<unknown>;
  availableInstances(type: MdevType): number;
  mdevs(): readonly MdevDevice[];
}

export function typeName(driverName: string, type: MdevType): string {
  return `${driverName}-${type.name}`;
}

/** Two groups for each type: its files, and the links to what was made of it. */
export function typeGroups(source: TypeSource, type: MdevType): AttributeGroup[] {
  const own = typeName(source.driverName, type);
  const name = `${typesDirectory}/${own}`;
  const files: Attribute[] = [
    {
      name: "create",
      store: async (_device, text) => {
        await source.create(type.name, parseUuid(written(text)));
      },
    },
    shown("device_api", () => type.deviceApi),
    shown("name", () => type.prettyName ?? own),
    shown("available_instances", () => String(source.availableInstances(type))),
  ];
  const { description } = type;
  if (description !== undefined) files.push(shown("description", () => description));
  const links = (): ReadonlyMap<string, string> =>
    new Map(
      source.mdevs().flatMap((mdev) => (mdev.type === type ? [[mdev.name, mdev.devpath] as const] : [])),
    );
  return [
    { name, attributes: files },
    { name: `${name}/devices`, attributes: [], links },
  ];
}

function shown(name: string, value: () => string): Attribute {
  return { name, show: () => `${value()}\n` };
}

/** 36 bytes, or 37 with what ends a line. */
function written(text: string): string {
  const bytes = byteLength(text);
  if (bytes === 36) return text;
  if (bytes === 37 && /[\n\0]$/.test(text)) return text.slice(0, -1);
  throw new KernelError(
    "EINVAL",
    `create takes the 36 characters of a UUID and a newline, not ${bytes} bytes`,
  );
}
