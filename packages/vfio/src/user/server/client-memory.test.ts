/** Memory that a device lets go of later than its client is ready to wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuntime, KernelError } from "parhelion-core";
import type { AttachedDevice } from "../../iommufd/attached-device.js";
import { closeFd, createMemory } from "../client.test.fixture.js";
import { ClientMemory } from "./client-memory.js";
import { Questions } from "./questions.js";

const begin = 0x8000n;

/** Of a device whose first unmap takes too long and is done afterwards. */
function late() {
  const mapped = new Map<bigint, bigint>();
  const closed: number[] = [];
  let first: "late" | "done" = "late";
  const user = {
    map: async (iova: bigint, size: bigint) => void mapped.set(iova, size),
    unmap: async (iova: bigint) => {
      const size = mapped.get(iova);
      mapped.delete(iova);
      if (size === undefined) throw new KernelError("ENOENT", "nothing is there");
      if (first === "done") return size;
      first = "done";
      throw new KernelError("ETIMEDOUT", "it takes too long");
    },
  };
  const runtime = createRuntime();
  const memory = new ClientMemory({
    user: user as unknown as AttachedDevice,
    questions: new Questions(
      runtime,
      () => undefined,
      0,
      () => undefined,
    ),
    pieceBytes: 4096,
    way: () => "descriptor",
    closeFd: (fd) => {
      closed.push(fd);
      closeFd(fd);
    },
    isSealable: () => true,
  });
  const map = async (iova: bigint, size: number): Promise<number> => {
    const fd = createMemory(size);
    await memory.map({ access: "read-write", offset: 0n, iova, size: BigInt(size) }, fd, {});
    return fd;
  };
  const unmap = (iova: bigint, size: number) =>
    memory.unmap({ scope: "range", iova, size: BigInt(size), flags: 0 }, {});
  return { closed, map, unmap, memory };
}

test("it can still be unmapped, which is nothing to do any more, and all of it at once", async () => {
  for (const scope of ["range", "all"] as const) {
    const { closed, map, unmap, memory } = late();
    const fds = [await map(begin, 8192), await map(0x2_0000n, 4096)];
    await assert.rejects(unmap(begin, 8192), { code: "ETIMEDOUT" });
    assert.deepEqual(closed, []);
    if (scope === "range") {
      assert.equal(await unmap(begin, 8192), 0n);
      assert.deepEqual(closed, fds.slice(0, 1));
    } else assert.equal(await memory.unmap({ scope, iova: 0n, size: 0n, flags: 2 }, {}), 4096n);
    memory.close();
    assert.deepEqual(closed, fds);
  }
});

test("its place is free for what is lent next", async () => {
  for (const [iova, size] of [
    [begin, 4096],
    [begin + 4096n, 8192],
  ] as const) {
    const { closed, map, unmap, memory } = late();
    const first = await map(begin, 8192);
    await assert.rejects(unmap(begin, 8192), { code: "ETIMEDOUT" });
    const next = await map(iova, size);
    assert.deepEqual(closed, [first]);
    assert.equal(await unmap(iova, size), BigInt(size));
    assert.deepEqual(closed, [first, next]);
    memory.close();
    assert.deepEqual(closed, [first, next]);
  }
});
