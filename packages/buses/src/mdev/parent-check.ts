/** Whether what a parent says of itself can be shown in the tree and chosen from. */
import { type Device, KernelError } from "parhelion-core";
import type { MdevParentInit } from "./parent-init.js";
import { typeName, typesDirectory } from "./type-directories.js";

/** @throws KernelError EINVAL, EEXIST it has a directory of that name or two types have one name, ENODEV the device is not registered */
export function checkParent<S, O>(device: Device, init: MdevParentInit<S, O>): void {
  const what = `mdev parent ${device.devpath}`;
  if (!device.registered) throw new KernelError("ENODEV", `${what}: the device is not registered`);
  if (device.attributes.entry(typesDirectory) !== undefined) {
    throw new KernelError("EEXIST", `${what}: it has a ${typesDirectory} already`);
  }
  if (init.types.length === 0) throw new KernelError("EINVAL", `${what}: give it at least one type`);
  if (init.uses.length === 0) throw new KernelError("EINVAL", `${what}: name at least one driver`);
  const names = new Set<string>();
  for (const type of init.types) {
    const name = typeName(init.driverName, type);
    if (init.driverName === "" || type.name === "" || /[/\0\n]/.test(name)) {
      throw new KernelError(
        "EINVAL",
        `${what}: type ${JSON.stringify(name)}: give driver and type names without slashes and newlines`,
      );
    }
    if (names.has(name)) throw new KernelError("EEXIST", `${what}: two types are named ${name}`);
    names.add(name);
  }
  for (const { name, attributes } of init.groups ?? []) {
    const taken = name === undefined ? attributes.find((each) => ownNames.includes(each.name))?.name : name;
    if (taken !== undefined && ownNames.includes(taken)) {
      throw new KernelError("EINVAL", `${what}: every mdev has its own ${taken}; name the group's otherwise`);
    }
  }
  const { available } = init;
  if (
    available.policy === "counter" &&
    !(Number.isSafeInteger(available.instances) && available.instances >= 0)
  ) {
    throw new KernelError("EINVAL", `${what}: ${available.instances} instances; give a whole number`);
  }
}

/** What the bus puts into each device's directory. */
const ownNames: readonly string[] = ["remove", "mdev_type"];
