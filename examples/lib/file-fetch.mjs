// Libraries made for browsers load their weights with fetch(), and Node's fetch() refuses file: URLs.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Makes the global fetch() answer file: URLs; all others go where they went. */
export function installFileFetch() {
  const native = globalThis.fetch;
  globalThis.fetch = async (resource, init) => {
    const url = String(resource instanceof Request ? resource.url : resource);
    if (!url.startsWith("file:")) {
      return native(resource, init);
    }
    const type = url.endsWith(".json") ? "application/json" : "application/octet-stream";
    return new Response(await readFile(fileURLToPath(url)), { headers: { "content-type": type } });
  };
}
