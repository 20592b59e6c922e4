/** `parhelion cat`: the values of attributes. */
import { asking } from "../sys/explain.js";
import { sysPath } from "../sys/path.js";
import { reachTree, type TreeWish } from "../sys/target.js";
import type { Terminal } from "../terminal.js";

export interface CatCommand extends TreeWish {
  readonly paths: readonly string[];
  readonly json?: boolean;
}

export async function catCommand(options: CatCommand, terminal: Terminal): Promise<number> {
  const paths = options.paths.map(sysPath);
  const { client } = await reachTree(options, terminal);
  try {
    const values: { readonly path: string; readonly value: string }[] = [];
    for (const path of paths) {
      const value = await asking(client, `read ${path}`, path, () => client.read(path));
      values.push({ path, value });
      if (!options.json) terminal.out(value.replace(/\n$/, ""));
    }
    if (options.json) terminal.out(JSON.stringify({ values }, null, 2));
    return 0;
  } finally {
    client.close();
  }
}
