import assert from "node:assert/strict";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import koffi from "koffi";
import { closeFd, createEventfd, createMemory } from "../client.test.fixture.js";
import { type KoffiModule, Libc } from "../socket/libc.js";
import { MemoryFile } from "./memory-file.js";

const libc = new Libc(koffi as unknown as KoffiModule);
const wayOf = (fd: number, offset: bigint, size: bigint): string =>
  MemoryFile.way(fd, offset, size, libc.isSealable(fd));

test("memory that is reached by its descriptor is a file that answers by itself, as far as it can be written to", () => {
  const memory = createMemory(2 ** 54);
  assert.equal(wayOf(memory, 0n, 2n ** 53n - 1n), "descriptor");
  assert.equal(wayOf(memory, 4096n, 2n ** 53n), "message", "a position that Node can't name");
  assert.equal(wayOf(memory, 2n ** 53n + 4096n, 4096n), "message");
  assert.throws(() => wayOf(memory, 2n ** 54n - 4096n, 8192n), { code: "EINVAL" });
  assert.throws(() => wayOf(memory, 2n ** 64n - 1n, 1n), { code: "EINVAL" });
  closeFd(memory);
  // What is asked of such a file goes to whoever made it: it is not asked.
  const foreign = openSync("/proc/self/status", "r");
  assert.equal(wayOf(foreign, 0n, 4096n), "message");
  closeSync(foreign);
  const eventfd = createEventfd();
  assert.throws(() => wayOf(eventfd, 0n, 1n), { code: "EINVAL" });
  closeFd(eventfd);
});

test("a file that is written to at its end only is not memory for a descriptor", () => {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-memory-file-"));
  const path = join(directory, "file");
  writeFileSync(path, Buffer.alloc(8192));
  for (const flags of [constants.O_APPEND | constants.O_RDWR, 0x20_0000]) {
    const fd = openSync(path, flags);
    assert.equal(wayOf(fd, 0n, 4096n), "message");
    closeSync(fd);
  }
  rmSync(directory, { recursive: true });
});

test("memory that has ended reaches no file, whatever has its descriptor's number now", () => {
  const directory = mkdtempSync(join(tmpdir(), "parhelion-memory-file-"));
  try {
    const [lent, other] = [join(directory, "lent"), join(directory, "other")];
    writeFileSync(lent, "the client's");
    writeFileSync(other, "another's");
    const fd = openSync(lent, "r+");
    const memory = new MemoryFile(fd, 4096n, 0n);
    assert.equal(Buffer.from(memory.read(4100n, 6)).toString(), "client");
    memory.end();
    closeSync(fd);
    const next = openSync(other, "r+");
    assert.equal(next, fd, "the lowest number that is free");
    assert.throws(() => memory.read(4096n, 4), { code: "EFAULT" });
    assert.throws(() => memory.write(4096n, Buffer.from("xxxx")), { code: "EFAULT" });
    closeSync(next);
    assert.equal(readFileSync(other, "utf8"), "another's");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
