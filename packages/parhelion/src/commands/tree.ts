/** `parhelion tree`: the device tree of the host or of a guest. */
import { isControlError, type SysClient, type SysItem } from "parhelion-protocol";
import { asking } from "../sys/explain.js";
import { linkAt } from "../sys/find-device.js";
import { nameOf, ROOT, sysPath } from "../sys/path.js";
import { realPath } from "../sys/real-path.js";
import { reachTree, type TreeWish } from "../sys/target.js";
import type { Terminal } from "../terminal.js";
import { type TreeNode, treeView } from "../views/tree.js";

export interface TreeCommand extends TreeWish {
  readonly path?: string;
  /** How many levels below the path; default all. */
  readonly depth?: number;
  readonly json?: boolean;
}

export async function treeCommand(options: TreeCommand, terminal: Terminal): Promise<number> {
  const path = sysPath(options.path ?? ROOT);
  const { client } = await reachTree(options, terminal);
  try {
    const root = await grow(client, path, options.depth ?? Number.POSITIVE_INFINITY);
    terminal.out(options.json ? JSON.stringify(root, null, 2) : treeView(root));
    return 0;
  } finally {
    client.close();
  }
}

/** @throws CommandError */
async function grow(client: SysClient, word: string, depth: number): Promise<TreeNode> {
  const path = await realPath(client, word);
  const { name, kind } = await asking(client, `look at ${path}`, path, () => client.stat(path));
  if (kind !== "directory") return { name, path, kind };
  const items = await asking(client, `list ${path}`, path, () => client.list(path));
  return directory(client, path, items, depth);
}

async function directory(
  client: SysClient,
  path: string,
  items: readonly SysItem[],
  depth: number,
): Promise<TreeNode> {
  const driver = items.find(({ name, kind }) => name === "driver" && kind === "link");
  const node = {
    name: nameOf(path),
    path,
    kind: "directory" as const,
    ...(driver === undefined ? {} : { driver: nameOf(driver.target) }),
  };
  if (depth < 1) return node;
  const children: TreeNode[] = [];
  for (const item of inOrder(path, items)) {
    const child = await branch(client, `${path}/${item.name}`, item, depth - 1);
    if (child !== null) children.push(child);
  }
  return { ...node, children };
}

/** Null when it has gone since its directory was listed. */
async function branch(
  client: SysClient,
  path: string,
  item: SysItem,
  depth: number,
): Promise<TreeNode | null> {
  const { name, kind, target } = item;
  if (kind === "link") return { name, path, kind, target };
  if (kind === "file") return { name, path, kind };
  // Below the depth nothing is shown of it but its driver.
  if (depth < 1) {
    const driver = await linkAt(client, `${path}/driver`);
    return { name, path, kind, ...(driver === undefined ? {} : { driver: nameOf(driver) }) };
  }
  try {
    return await directory(client, path, await client.list(path), depth);
  } catch (error) {
    if (isControlError(error, "ENOENT") || isControlError(error, "ENODEV")) return null;
    throw error;
  }
}

/** The devices come first: they are what people look for. */
function inOrder(path: string, items: readonly SysItem[]): readonly SysItem[] {
  if (path !== ROOT) return items;
  return [...items].sort((a, b) => Number(b.name === "devices") - Number(a.name === "devices"));
}
