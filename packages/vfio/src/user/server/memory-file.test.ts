import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { MemoryFile } from "./memory-file.js";

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
