/** A guest's run directory as those inside see it. */
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { ATTRIBUTES_FILE, CONTROL_NODE } from "parhelion-guest";

/** A Unix socket is accepted at once or not at all, in ms. */
const connectMs = 5_000;

/** Names of the vGPUs' nodes there are. @throws when no guest kernel serves the directory */
export async function nodesIn(directory: string): Promise<readonly string[]> {
  await reach(join(directory, CONTROL_NODE));
  const attributes: unknown = JSON.parse(await readFile(join(directory, ATTRIBUTES_FILE), "utf8"));
  const nodes: unknown =
    typeof attributes === "object" && attributes !== null ? Reflect.get(attributes, "nodes") : undefined;
  return Array.isArray(nodes) ? nodes.filter((name) => typeof name === "string") : [];
}

function reach(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, timeout: connectMs });
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(`no guest kernel serves ${path}: ${why}`));
    };
    socket.once("error", (error) => fail(error.message));
    socket.once("timeout", () => fail(`no answer within ${connectMs} ms`));
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}
