import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { isKernelError } from "parhelion-core";
import { ConsoleRig } from "./console.test.fixture.js";
import { serveConsole } from "./console-socket.js";

async function until(socket: Socket, end: string): Promise<string> {
  let text = "";
  for await (const bytes of socket.iterator({ destroyOnReturn: false })) {
    text += String(bytes);
    if (text.endsWith(end)) break;
  }
  return text;
}

describe("a console on a socket", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "console-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("prints to and reads from whoever connects, one at a time", async () => {
    const rig = new ConsoleRig();
    const path = join(folder, "console");
    const served = await serveConsole(rig.console, path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const first = connect(path);
    const read = rig.run(0x0a, 160);
    first.write("hello\n");
    await read;
    assert.equal(rig.text(5), "hello");
    await rig.write("hi\n");
    assert.equal(await until(first, "hi\r\n"), "hi\r\n");
    const second = connect(path);
    const again = rig.run(0x0a, 160);
    second.write("me\n");
    await again;
    await rig.write("you\n");
    assert.equal(await until(second, "you\r\n"), "you\r\n");
    await served.close();
    assert.equal(existsSync(path), false);
    first.destroy();
    second.destroy();
  });

  it("says where it can't be made", async () => {
    const rig = new ConsoleRig();
    await assert.rejects(serveConsole(rig.console, join(folder, "missing", "console")), (error) => {
      return isKernelError(error, "EIO") && error.message.includes("missing");
    });
  });
});
