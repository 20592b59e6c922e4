import assert from "node:assert/strict";
import { test } from "node:test";
import { type TreeNode, treeView } from "./tree.js";

test("a tree is drawn with its links and drivers, and stops where it was not looked into", () => {
  const root: TreeNode = {
    name: "sys",
    path: "/sys",
    kind: "directory",
    children: [
      {
        name: "devices",
        path: "/sys/devices",
        kind: "directory",
        children: [
          {
            name: "toy0",
            path: "/sys/devices/toy0",
            kind: "directory",
            driver: "toy",
            children: [
              { name: "driver", path: "/sys/devices/toy0/driver", kind: "link", target: "../../bus/x" },
              { name: "uevent", path: "/sys/devices/toy0/uevent", kind: "file" },
            ],
          },
          { name: "toy1", path: "/sys/devices/toy1", kind: "directory", driver: "toy" },
        ],
      },
      { name: "bus", path: "/sys/bus", kind: "directory" },
    ],
  };
  assert.equal(
    treeView(root),
    [
      "/sys",
      "├── devices",
      "│   ├── toy0  [toy]",
      "│   │   ├── driver -> ../../bus/x",
      "│   │   └── uevent",
      "│   └── toy1  [toy]",
      "└── bus",
    ].join("\n"),
  );
});

test("a name can't draw lines or colours of its own", () => {
  const name = "a\n└── b\u001b[31m";
  const children: TreeNode[] = [{ name, path: `/sys/${name}`, kind: "file" }];
  const view = treeView({ name: "sys", path: "/sys", kind: "directory", children });
  assert.equal(view, "/sys\n└── a\\x0a└── b\\x1b[31m");
});
