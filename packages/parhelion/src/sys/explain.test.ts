import assert from "node:assert/strict";
import { test } from "node:test";
import { asking } from "./explain.js";
import { inToyland } from "./toyland.test.fixture.js";

test("a path that is not there is answered with what is near it, however far off it leads", () =>
  inToyland(async (client) => {
    const path = "/sys/devices/roof/port0/uevent";
    await assert.rejects(
      asking(client, `read ${path}`, path, () => client.read(path)),
      {
        code: "ENOENT",
        message: /^ENOENT: \/sys\/devices\/roof\/port0\/uevent: /,
        remedy: /^did you mean \/sys\/devices\/root\? in \/sys\/devices there are /,
      },
    );
  }));

test("a driver that hangs costs a deadline and no more", () =>
  inToyland(async (client) => {
    const path = "/sys/bus/wide/drivers/serial/bind";
    await assert.rejects(
      asking(client, "bind serial to port1", path, () => client.write(path, "port1")),
      { code: "ETIMEDOUT", remedy: /slow or hangs/ },
    );
    assert.equal((await client.stat("/sys/bus/wide")).kind, "directory", "the socket answers on");
  }));

test("when who serves the tree has gone that is said, and not that a device has", () =>
  inToyland(async (client, _system, server) => {
    await server.close("enough");
    await assert.rejects(
      asking(client, "read /sys/x", "/sys/x", () => client.read("/sys/x")),
      { code: "connection-lost", message: "read /sys/x: who serves the device tree ended the connection" },
    );
  }));
