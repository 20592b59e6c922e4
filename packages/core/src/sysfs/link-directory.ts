/**
 * Device links as the directories that Linux shows them as, in /sys/devices/virtual/devlink and /sys/class/devlink, and
 * as the links to them that stand in the directories of their two devices.
 */
import type { Device } from "../device.js";
import type { DeviceLink, LinkState } from "../device-link.js";
import { sysfsPathOf } from "./device-files.js";
import { directory, directoryOf, link, type SysfsDirectory, type SysfsEntry, text } from "./entry.js";
import { type SysfsSource, sysfsRoot } from "./source.js";

const directoryPath = `${sysfsRoot}/devices/virtual/devlink`;

/** In Linux's words (drivers/base/core.c, status_show). */
const statuses: Readonly<Record<LinkState, string>> = {
  none: "not tracked",
  dormant: "dormant",
  available: "available",
  "consumer-probe": "consumer probing",
  active: "active",
  "supplier-unbind": "supplier unbinding",
};

export class DeviceLinkEntries {
  readonly #source: SysfsSource;

  constructor(source: SysfsSource) {
    this.#source = source;
  }

  none(): boolean {
    for (const _link of this.#source.links()) return false;
    return true;
  }

  /** /sys/devices/virtual/devlink */
  directory(): SysfsDirectory {
    return directory(
      () => this.#names(),
      (name) => linkDirectory(this.#find(name)),
    );
  }

  /** /sys/class/devlink */
  classDirectory(): SysfsDirectory {
    return directory(
      () => this.#names(),
      (name) => (this.#find(name) === undefined ? undefined : link(`${directoryPath}/${name}`)),
    );
  }

  /** What stands in the device's own directory. */
  *names(device: Device): Iterable<string> {
    const { suppliers, consumers } = this.#source.control.linksOf(device);
    for (const { supplier } of suppliers) yield `supplier:${longName(supplier)}`;
    for (const { consumer } of consumers) yield `consumer:${longName(consumer)}`;
  }

  entry(device: Device, name: string): SysfsEntry | undefined {
    if (!/^(supplier|consumer):/.test(name)) return undefined;
    const { suppliers, consumers } = this.#source.control.linksOf(device);
    const found =
      suppliers.find(({ supplier }) => `supplier:${longName(supplier)}` === name) ??
      consumers.find(({ consumer }) => `consumer:${longName(consumer)}` === name);
    return found === undefined ? undefined : link(`${directoryPath}/${nameOf(found)}`);
  }

  *#names(): Iterable<string> {
    for (const each of this.#source.links()) yield nameOf(each);
  }

  /** By the supplier, whose name may itself contain what stands between the two. */
  #find(name: string): DeviceLink | undefined {
    for (let at = name.indexOf("--"); at >= 0; at = name.indexOf("--", at + 1)) {
      const supplier = this.#device(name.slice(0, at));
      const links = supplier === undefined ? [] : this.#source.control.linksOf(supplier).consumers;
      const found = links.find((each) => nameOf(each) === name);
      if (found !== undefined) return found;
    }
    // A supplier that leaves is off its bus before its links go.
    for (const each of this.#source.links()) if (nameOf(each) === name) return each;
    return undefined;
  }

  #device(name: string): Device | undefined {
    const colon = name.indexOf(":");
    const [owner, device] = [name.slice(0, colon), name.slice(colon + 1)];
    for (const bus of this.#source.buses()) if (bus.bus.name === owner) return bus.device(device);
    for (const each of this.#source.classes())
      if (each.deviceClass.name === owner) return each.device(device);
    return undefined;
  }
}

function linkDirectory(of: DeviceLink | undefined): SysfsDirectory | undefined {
  if (of === undefined) return undefined;
  const { flags } = of;
  const autoRemove = flags.has("autoremove-supplier")
    ? "supplier unbind"
    : flags.has("autoremove-consumer")
      ? "consumer unbind"
      : "never";
  return directoryOf({
    auto_remove_on: text(autoRemove),
    consumer: link(sysfsPathOf(of.consumer)),
    status: text(statuses[of.state]),
    subsystem: link(`${sysfsRoot}/class/devlink`),
    supplier: link(sysfsPathOf(of.supplier)),
  });
}

function nameOf({ supplier, consumer }: DeviceLink): string {
  return `${longName(supplier)}--${longName(consumer)}`;
}

/** A device's name alone says nothing: each bus has its own. */
function longName(device: Device): string {
  return `${device.bus?.name ?? device.class?.name ?? ""}:${device.name}`;
}
