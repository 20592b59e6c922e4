/** The names of buses, classes and drivers are file names in the tree that shows them. */
import { KernelError } from "./error.js";

/** @throws KernelError EINVAL a name that no file can have */
export function checkName(what: string, name: string): void {
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) {
    throw new KernelError("EINVAL", `${what} name ${JSON.stringify(name)}: give it a name without slashes`);
  }
}
