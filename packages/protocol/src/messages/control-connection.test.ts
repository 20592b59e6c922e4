import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import type { Clock } from "../clock.js";
import { ControlConnection } from "./control-connection.js";
import { ControlError, isControlError } from "./control-error.js";
import { encodeFrame } from "./frame.js";
import { ioctl, nodeMessage } from "./index.js";

describe("a control connection", () => {
  let directory = "";
  let server: net.Server;
  const accepted: ControlConnection[] = [];
  let serve: (connection: ControlConnection) => void = () => {};

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "control-"));
    server = net.createServer((socket) => {
      const connection = new ControlConnection(socket, { peer: "the client", maxServing: 4 });
      accepted.push(connection);
      serve(connection);
    });
    server.listen(path.join(directory, "s"));
    await once(server, "listening");
  });

  afterEach(async () => {
    for (const connection of accepted.splice(0)) connection.close();
    server.close();
    await rm(directory, { recursive: true });
  });

  async function dial(): Promise<net.Socket> {
    const socket = net.connect(path.join(directory, "s"));
    await once(socket, "connect");
    return socket;
  }

  async function connect(options: { clock?: Clock } = {}): Promise<ControlConnection> {
    return new ControlConnection(await dial(), { peer: "the server", ...options });
  }

  it("answers requests in any order", async () => {
    const waiting: (() => void)[] = [];
    serve = (connection) =>
      connection.onRequest(async (_type, body) => {
        const { luid } = ioctl.openAdapterFromLuid.request.decode(body);
        if (luid === 1n) await new Promise<void>((resolve) => waiting.push(resolve));
        else waiting[0]?.();
        return ioctl.openAdapterFromLuid.reply.encode({ adapter: Number(luid) });
      });
    const client = await connect();
    const first = client.call(ioctl.openAdapterFromLuid, { luid: 1n });
    const second = client.call(ioctl.openAdapterFromLuid, { luid: 2n });
    assert.deepEqual(await Promise.all([first, second]), [{ adapter: 1 }, { adapter: 2 }]);
    client.close();
  });

  it("carries a refusal's errno, text and private data", async () => {
    serve = (connection) =>
      connection.onRequest(() => {
        throw new ControlError(122, "too much memory", { privateData: Uint8Array.of(1, 2) });
      });
    const client = await connect();
    await assert.rejects(client.call(ioctl.createDevice, {}), (error) => {
      assert.ok(isControlError(error));
      assert.equal(error.code, "EDQUOT");
      assert.equal(error.message, "EDQUOT: too much memory");
      assert.deepEqual([...error.privateData], [1, 2]);
      return true;
    });
    client.close();
  });

  it("answers an unknown request -ENOTTY, a malformed body -EINVAL, a bug -EIO, and goes on", async () => {
    serve = (connection) =>
      connection.onRequest((type, body) => {
        if (type === 1)
          return ioctl.openAdapterFromLuid.reply.encode({
            adapter: Number(ioctl.openAdapterFromLuid.request.decode(body).luid),
          });
        if (type === 2) throw new TypeError("a bug");
        throw new ControlError(25, "not supported");
      });
    const client = await connect();
    await assert.rejects(client.request(0x7777, new Uint8Array(0)), (error) =>
      isControlError(error, "ENOTTY"),
    );
    await assert.rejects(client.request(1, Uint8Array.of(1)), (error) => isControlError(error, "EINVAL"));
    await assert.rejects(client.request(2, Uint8Array.of(1)), (error) => isControlError(error, "EIO"));
    assert.deepEqual(await client.call(ioctl.openAdapterFromLuid, { luid: 3n }), { adapter: 3 });
    client.close();
  });

  it("without a handler answers -ENOTTY", async () => {
    serve = () => {};
    const client = await connect();
    await assert.rejects(client.call(nodeMessage.hello, {}), (error) => isControlError(error, "ENOTTY"));
    client.close();
  });

  it("delivers events, and what was sent before a close", async () => {
    serve = (connection) => {
      connection.notify(nodeMessage.event, { kind: 1, text: "gone" });
      connection.close();
    };
    const client = await connect();
    const events: string[] = [];
    client.onEvent((_type, body) => events.push(nodeMessage.event.body.decode(body).text));
    await new Promise<void>((resolve) => client.onClose(() => resolve()));
    assert.deepEqual(events, ["gone"]);
  });

  it("settles every pending request with ENODEV when it ends, whoever ends it", async () => {
    serve = (connection) => connection.onRequest(() => new Promise(() => {}));
    const client = await connect();
    const requests = [1, 2, 3].map((type) => client.request(type, new Uint8Array(0)));
    setImmediate(() => {
      for (const connection of accepted) connection.close();
    });
    for (const request of requests) await assert.rejects(request, (error) => isControlError(error, "ENODEV"));
    await assert.rejects(client.request(1, new Uint8Array(0)), (error) => isControlError(error, "ENODEV"));
    assert.equal(client.state, "closed");
  });

  it("gives up at the deadline and ignores the late answer", async () => {
    let answer = (): void => {};
    serve = (connection) =>
      connection.onRequest((type) => {
        if (type !== 1) return new Uint8Array(0);
        return new Promise((resolve) => {
          answer = () => resolve(new Uint8Array(0));
        });
      });
    const fires: (() => void)[] = [];
    const clock: Clock = {
      now: () => 0,
      setTimer(_ms, fire) {
        fires.push(fire);
        return { cancel() {} };
      },
    };
    const client = await connect({ clock });
    const late = client.request(1, new Uint8Array(0), { timeoutMs: 5 });
    await client.request(2, new Uint8Array(0));
    fires[0]?.();
    await assert.rejects(late, (error) => isControlError(error, "ETIMEDOUT"));
    answer();
    assert.equal((await client.request(2, new Uint8Array(0))).length, 0);
    client.close();
  });

  it("refuses what goes beyond its limit at once, and serves again afterwards", async () => {
    const finish: (() => void)[] = [];
    serve = (connection) =>
      connection.onRequest(async (type) => {
        if (type === 1) await new Promise<void>((resolve) => finish.push(resolve));
        return new Uint8Array(0);
      });
    const client = await connect();
    const slow = Array.from({ length: 4 }, () => client.request(1, new Uint8Array(0)));
    await assert.rejects(client.request(2, new Uint8Array(0)), (error) => isControlError(error, "EAGAIN"));
    for (const end of finish) end();
    await Promise.all(slow);
    await client.request(2, new Uint8Array(0));
    client.close();
  });

  it("stops reading from a peer that does not read its replies, and notices its death", async () => {
    let served = 0;
    const closed = new Promise<void>((resolve) => {
      serve = (connection) => {
        connection.onClose(() => resolve());
        connection.onRequest(() => {
          served++;
          return new Uint8Array(512 * 1024);
        });
      };
    });
    const socket = await dial();
    socket.on("error", () => {});
    socket.pause();
    for (let id = 1; id <= 50; id++) socket.write(encodeFrame(1, 0, id, new Uint8Array(0)));
    while (served === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    for (let i = 0; i < 20; i++) await new Promise<void>((resolve) => setImmediate(resolve));
    assert.ok(served < 50, `${served} replies are in memory`);
    socket.destroy();
    await closed;
  });

  it("hands the stream on with the bytes that follow the last frame", async () => {
    const taken = new Promise<string>((resolve) => {
      serve = (connection) =>
        connection.onEvent(() => {
          const { stream, rest } = connection.detach();
          let text = Buffer.from(rest).toString();
          stream.on("data", (chunk: Buffer) => {
            text += chunk.toString();
          });
          stream.on("end", () => resolve(text));
          stream.resume();
        });
    });
    const socket = await dial();
    socket.write(Buffer.concat([encodeFrame(9, 0, 0, new Uint8Array(0)), Buffer.from("he")]));
    setImmediate(() => socket.end("llo"));
    assert.equal(await taken, "hello");
  });

  it("loses only itself to garbage", async () => {
    serve = (connection) => connection.onRequest((_type, body) => body.slice());
    const bystander = await connect();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 64 }), async (bytes) => {
        const socket = await dial();
        socket.on("error", () => {});
        socket.resume();
        const closed = once(socket, "close");
        socket.end(bytes);
        await closed;
        assert.deepEqual([...(await bystander.request(5, Uint8Array.of(1, 2)))], [1, 2]);
      }),
      { numRuns: 60 },
    );
    bystander.close();
  });
});
