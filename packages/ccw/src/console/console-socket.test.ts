import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
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

  it("takes over what a killed one has left, and nothing that is somebody else's", async () => {
    const path = join(folder, "left");
    const killed = createServer();
    await new Promise<void>((resolve) => killed.listen(`${path}.before`, resolve));
    // Under another name it stays when its server goes.
    renameSync(`${path}.before`, path);
    await new Promise((resolve) => killed.close(resolve));
    const served = await serveConsole(new ConsoleRig().console, path);
    await assert.rejects(serveConsole(new ConsoleRig().console, path), (error) =>
      isKernelError(error, "EBUSY"),
    );
    await served.close();
    writeFileSync(path, "mine");
    await assert.rejects(serveConsole(new ConsoleRig().console, path), (error) =>
      isKernelError(error, "EBUSY"),
    );
    assert.equal(readFileSync(path, "utf8"), "mine");
  });

  it("refuses the path of another console, whose operator notices nothing and loses nothing", async () => {
    const path = join(folder, "live");
    const rig = new ConsoleRig(undefined, "none");
    await rig.write("kept\n");
    const served = await serveConsole(rig.console, path);
    const refused = () =>
      assert.rejects(serveConsole(new ConsoleRig().console, path), (error) => isKernelError(error, "EBUSY"));
    await refused();
    const operator = connect(path);
    assert.equal(await until(operator, "kept\r\n"), "kept\r\n");
    await refused();
    const read = rig.run(0x0a, 160);
    operator.write("still here\n");
    await read;
    assert.equal(rig.text(10), "still here");
    await served.close();
    operator.destroy();
  });

  it("says where it can't be made", async () => {
    const rig = new ConsoleRig();
    await assert.rejects(serveConsole(rig.console, join(folder, "missing", "console")), (error) => {
      return isKernelError(error, "EIO") && error.message.includes("missing");
    });
  });
});
