/** An object's attributes and named groups as entries of its directory. */
import type { AttributeSet } from "../attribute-set.js";
import { directory, link, type SysfsEntry } from "./entry.js";
import { sysfsRoot } from "./source.js";

/** @param path an attribute, a link, or a directory of a named group; see `AttributeSet.list` */
export function attributeEntry(attributes: AttributeSet, path: string): SysfsEntry | undefined {
  const entry = attributes.entry(path);
  if (entry === undefined) return undefined;
  if (entry.kind === "directory") {
    return directory(
      () => attributes.names(path),
      (name) => attributeEntry(attributes, `${path}/${name}`),
    );
  }
  if (entry.kind === "link") return link(sysfsRoot + entry.target);
  return {
    kind: "file",
    mode: entry.mode,
    read: (options) => attributes.read(path, options),
    write: (text, options) => attributes.write(path, text, options),
  };
}
