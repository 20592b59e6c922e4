/** The kinds of errors that error scopes and uncapturederror tell apart. */
export type ErrorKind = "validation" | "out-of-memory" | "internal";

/** By name, because the classes are on the binding's own list of globals and nowhere else. */
export function errorKind(error: GPUError): ErrorKind {
  switch (error.constructor.name) {
    case "GPUOutOfMemoryError":
      return "out-of-memory";
    case "GPUInternalError":
      return "internal";
    default:
      return "validation";
  }
}
