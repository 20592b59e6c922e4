/** An object's attributes and named groups as entries of its directory. */
import type { AttributeSet } from "../attribute-set.js";
import { directory, type SysfsEntry } from "./entry.js";

/** @param path an attribute, or a named group; see `AttributeSet.list` */
export function attributeEntry(attributes: AttributeSet, path: string): SysfsEntry | undefined {
  const entry = attributes.entry(path);
  if (entry === undefined) return undefined;
  if (entry.kind === "directory") {
    return directory(
      () => attributes.names(path),
      (name) => attributeEntry(attributes, `${path}/${name}`),
    );
  }
  return {
    kind: "file",
    mode: entry.mode,
    read: (options) => attributes.read(path, options),
    write: (text, options) => attributes.write(path, text, options),
  };
}
