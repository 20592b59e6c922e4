import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createRuntime, DeviceNode, type Runtime } from "parhelion-core";
import type { NodeRequest } from "../dxg/request.js";
import type { NodeReception, ServableNode } from "./shelf.js";
import { SocketShelf } from "./socket-shelf.js";

const nobodyComes: NodeReception = {
  admit() {
    throw new Error("nobody was expected");
  },
};

function toyNode(runtime: Runtime): ServableNode {
  const operations = { request: () => new Uint8Array(0) };
  return new DeviceNode<NodeRequest, Uint8Array>(runtime, {
    name: "toy",
    mode: 0o600,
    open: () => operations,
  });
}

test("a door that is closed while it opens is closed, and opening it has not failed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ph-shelf-"));
  const runtime = createRuntime();
  const shelf = new SocketShelf(runtime, directory, "published");
  const path = join(directory, "toy");
  try {
    // The operating system decides how far the opening has come; often enough it is between any two of its steps.
    for (let round = 0; round < 200; round++) {
      const door = shelf.door(toyNode(runtime), nobodyComes);
      const opened = door.open();
      while (!existsSync(path)) await new Promise((resolve) => setImmediate(resolve));
      door.close();
      await opened;
      assert.deepEqual(await readdir(directory), []);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("an open door is its node's owner's", async () => {
  const directory = await mkdtemp(join(tmpdir(), "ph-shelf-"));
  const runtime = createRuntime();
  const door = new SocketShelf(runtime, directory, "published").door(toyNode(runtime), nobodyComes);
  try {
    await door.open();
    assert.equal(statSync(join(directory, "toy")).mode & 0o777, 0o600);
  } finally {
    door.close();
    await rm(directory, { recursive: true });
  }
});
