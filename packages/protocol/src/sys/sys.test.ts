import assert from "node:assert/strict";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import net from "node:net";
import { test } from "node:test";
import { platformClock } from "../clock.js";
import { ControlConnection } from "../messages/control-connection.js";
import { controlError } from "../messages/control-error.js";
import { sysMessage } from "../messages/generated/sys.js";
import { SYS_REQUESTS } from "./connection.js";
import { SYS_CONNECTIONS } from "./server.js";
import { until, World } from "./world.test.fixture.js";

/** Ends a test that hangs; no test comes near it. */
const limit = { timeout: 60_000 };

async function inWorld(
  body: (world: World) => Promise<void>,
  ...over: Parameters<typeof World.start>
): Promise<void> {
  const world = await World.start(...over);
  try {
    await body(world);
  } finally {
    await world.close();
  }
}

test("a tree is listed, looked at, read and written, and says whose it is", limit, () =>
  inWorld(async (world) => {
    world.files.set("/sys/b", "1\n").set("/sys/a", "2\n").set("/sys/again", "");
    const client = await world.client();
    assert.equal(client.name, "here");
    assert.deepEqual(await client.list("/sys"), [
      { name: "a", kind: "file", mode: 0o644, target: "" },
      { name: "again", kind: "link", mode: 0o777, target: "." },
      { name: "b", kind: "file", mode: 0o644, target: "" },
    ]);
    assert.deepEqual(await client.stat("/sys"), { name: "sys", kind: "directory", mode: 0o755, target: "" });
    await client.write("/sys/a", "3\n");
    assert.equal(await client.read("/sys/a"), "3\n");
    assert.equal((await stat(world.path)).mode & 0o777, 0o600, "the owner's only");
  }),
);

test("a directory of any size arrives whole, by names", limit, () =>
  inWorld(async (world) => {
    const names = Array.from({ length: 300 }, (_, i) => `x${i}`);
    for (const name of names) world.files.set(`/sys/${name}`, "");
    const client = await world.client();
    const list = await client.list("/sys");
    assert.deepEqual(
      list.map(({ name }) => name),
      [...names].sort(),
    );
  }),
);

test("what goes between being listed and being looked at is not shown, and ends no page early", limit, () =>
  inWorld(
    async (world) => {
      for (let i = 0; i < 300; i++) world.files.set(`/sys/x${i}`, "");
      const client = await world.client();
      const list = await client.list("/sys");
      assert.equal(list.length, 300 - 111);
    },
    {
      stat: (path) => {
        if (path.startsWith("/sys/x1")) throw controlError("ENOENT", "it has gone");
        return { kind: "file", mode: 0o444 };
      },
    },
  ),
);

test("a refusal keeps its errno and its words, and so does what is too long", limit, () =>
  inWorld(
    async (world) => {
      const client = await world.client();
      await assert.rejects(client.read("/sys/none"), {
        code: "ENOENT",
        errno: 2,
        message: "ENOENT: /sys/none: there is no such thing",
      });
      await assert.rejects(client.write("/sys/x", "1\n"), { code: "ELOOP", errno: 40 });
      await assert.rejects(client.list(`/${"x".repeat(4096)}`), /limit is 4096/);
      await assert.rejects(client.write("/sys/x", "x".repeat(4097)), /limit is 4096/);
    },
    {
      write: () => {
        throw controlError("ELOOP", "round and round");
      },
    },
  ),
);

test("a value that is too long to send is a refusal, and the connection goes on", limit, () =>
  inWorld(async (world) => {
    world.files.set("/sys/long", "x".repeat(4097)).set("/sys/short", "y");
    const client = await world.client();
    await assert.rejects(client.read("/sys/long"), { code: "EINVAL" });
    assert.equal(await client.read("/sys/short"), "y");
  }),
);

test("nothing is answered before HELLO, and HELLO is said once", limit, () =>
  inWorld(async (world) => {
    const socket = net.connect(world.path);
    await once(socket, "connect");
    const connection = new ControlConnection(socket, { clock: platformClock });
    try {
      await assert.rejects(connection.call(sysMessage.read, { path: "/sys" }), { code: "EPROTO" });
      await connection.call(sysMessage.hello, {});
      await assert.rejects(connection.call(sysMessage.hello, {}), { code: "EPROTO" });
      await assert.rejects(connection.request(0x3ff, new Uint8Array(0)), { code: "ENOTTY" });
    } finally {
      connection.close();
    }
  }),
);

test("a monitor gets what happens from then on, of its subsystem, until its connection ends", limit, () =>
  inWorld(async (world) => {
    const client = await world.client();
    const seen: string[] = [];
    world.send(1);
    await client.monitor("toys", {
      uevent: (keys) => seen.push(keys.join(" ")),
      lost: () => seen.push("lost"),
    });
    await assert.rejects(client.monitor("", { uevent: () => {}, lost: () => {} }), { code: "EBUSY" });
    world.send(2);
    world.send(3, "others");
    world.send(4);
    // What was sent before an answer has arrived before it.
    await client.stat("/sys");
    assert.deepEqual(seen, ["ACTION=change PADDING= SEQNUM=2", "ACTION=change PADDING= SEQNUM=4"]);
    client.close();
    await until("the monitor has gone", () => world.monitors === 0);
  }),
);

test(
  "a reader that is too slow is told how many are missing, at their place, and costs no more memory",
  limit,
  () =>
    inWorld(async (world) => {
      const socket = net.connect(world.path);
      await once(socket, "connect");
      const connection = new ControlConnection(socket, { clock: platformClock });
      await connection.call(sysMessage.hello, {});
      await connection.call(sysMessage.monitor, {});
      const got: number[] = [];
      let lost = 0;
      connection.onEvent((type, body) => {
        if (type === sysMessage.lost.type) {
          lost += sysMessage.lost.body.decode(body).count;
          return;
        }
        const [seqnum = ""] = sysMessage.uevent.body.decode(body).keys.slice(-1);
        got.push(Number(seqnum.slice("SEQNUM=".length)));
        assert.equal(got.at(-1), got.length + lost, "those missing are told before the next");
      });
      socket.pause();
      const sent = 2000;
      for (let i = 1; i <= sent; i++) world.send(i, "toys", "x".repeat(1000));
      socket.resume();
      await until("all are told of", () => got.length + lost === sent);
      assert.ok(lost > 1000, `${lost} were lost`);
      world.send(sent + 1);
      await until("it goes on", () => got.at(-1) === sent + 1);
      connection.close();
    }),
);

test("an event that no message holds is told as lost", limit, () =>
  inWorld(async (world) => {
    const client = await world.client();
    const seen: (string | number)[] = [];
    await client.monitor("", {
      uevent: (keys) => seen.push(keys.at(-1) ?? ""),
      lost: (count) => seen.push(count),
    });
    world.send(1, "toys", "x".repeat(5000));
    world.send(2);
    await client.stat("/sys");
    assert.deepEqual(seen, [1, "SEQNUM=2"]);
  }),
);

test("more requests than one connection may have under way are refused, the others are served", limit, () => {
  const held: (() => void)[] = [];
  return inWorld(
    async (world) => {
      const client = await world.client();
      const answers = Array.from({ length: SYS_REQUESTS + 3 }, () =>
        client.read("/sys/x").catch(({ code }) => code),
      );
      await until("all that may run do", () => held.length === SYS_REQUESTS);
      await assert.rejects(client.read("/sys/x"), { code: "EAGAIN" });
      for (const release of held) release();
      const all = await Promise.all(answers);
      assert.equal(all.filter((answer) => answer === "done").length, SYS_REQUESTS);
      assert.equal(all.filter((answer) => answer === "EAGAIN").length, 3);
    },
    { read: () => new Promise((resolve) => held.push(() => resolve("done"))) },
  );
});

test("a request settles by its deadline, and by the server's end", limit, () =>
  inWorld(
    async (world) => {
      const hasty = await world.client(20);
      await assert.rejects(hasty.read("/sys/x"), { code: "ETIMEDOUT" });
      const patient = await world.client();
      const ended = new Promise((resolve) => patient.onClose(resolve));
      const answer = assert.rejects(patient.read("/sys/x"), { code: "ENODEV" });
      await world.server.close("enough");
      await Promise.all([answer, ended]);
      assert.equal(patient.state, "closed");
      await assert.rejects(world.client(), { code: "ENOENT" });
    },
    { read: () => new Promise(() => {}) },
  ),
);

test("who only connects gives way to who speaks; who has spoken stays", limit, () =>
  inWorld(async (world) => {
    const idle = Array.from({ length: SYS_CONNECTIONS }, () => net.connect(world.path));
    for (const socket of idle) socket.on("error", () => {});
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    const clients = [];
    for (let i = 0; i < SYS_CONNECTIONS; i++) clients.push(await world.client());
    await assert.rejects(world.client(), { code: "ENODEV" });
    for (const client of clients) await client.stat("/sys");
    for (const socket of idle) socket.destroy();
  }),
);
