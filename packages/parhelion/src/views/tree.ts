/** A device tree as people read it, in the manner of tree(1). */
import type { SysItem } from "parhelion-protocol";
import { printable } from "./printable.js";

export interface TreeNode {
  readonly name: string;
  readonly path: string;
  readonly kind: SysItem["kind"];
  /** Of a link. */
  readonly target?: string;
  /** Of a device that has one. */
  readonly driver?: string;
  /** Of a directory; absent below the depth that was asked for. */
  readonly children?: readonly TreeNode[];
}

export function treeView(root: TreeNode): string {
  return [printable(`${root.path}${suffix(root)}`), ...branches(root.children ?? [], "")].join("\n");
}

function branches(children: readonly TreeNode[], indent: string): string[] {
  return children.flatMap((child, index) => {
    const isLast = index === children.length - 1;
    const line = `${indent}${isLast ? "└── " : "├── "}${printable(`${child.name}${suffix(child)}`)}`;
    return [line, ...branches(child.children ?? [], `${indent}${isLast ? "    " : "│   "}`)];
  });
}

function suffix({ target, driver }: TreeNode): string {
  if (target !== undefined) return ` -> ${target}`;
  return driver === undefined ? "" : `  [${driver}]`;
}
