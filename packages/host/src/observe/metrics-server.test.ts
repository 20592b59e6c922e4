import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { createRuntime } from "parhelion-core";
import { HostError } from "../host-error.js";
import { checkReach, isLoopback, type MetricsAddress } from "./metrics-address.js";
import { MetricsServer } from "./metrics-server.js";

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

function ask(
  server: MetricsServer,
  path: string,
  options: { method?: string; host?: string } = {},
): Promise<Answer> {
  const { host, port } = server.address;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host,
        port,
        path,
        method: options.method ?? "GET",
        headers: { Host: options.host ?? `${host}:${port}` },
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode, type: response.headers["content-type"], body }),
        );
      },
    );
    asked.on("error", reject).end();
  });
}

async function serving(
  page: () => Promise<string>,
  body: (server: MetricsServer) => Promise<void>,
): Promise<void> {
  const server = await MetricsServer.listen({ runtime: createRuntime(), address: { port: 0 }, page });
  try {
    await body(server);
  } finally {
    await server.close();
  }
}

test("/metrics is served in Prometheus' format; nothing else is", () =>
  serving(
    async () => "a 1\n",
    async (server) => {
      assert.equal(server.address.host, "127.0.0.1");
      assert.deepEqual(await ask(server, "/metrics"), {
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: "a 1\n",
      });
      assert.equal((await ask(server, "/metrics?x=1")).body, "a 1\n");
      assert.equal((await ask(server, "/metrics", { method: "HEAD" })).body, "");
      assert.equal((await ask(server, "/")).status, 404);
      assert.equal((await ask(server, "/metrics", { method: "POST" })).status, 405);
    },
  ));

test("a page of another name that means this machine is not answered", () =>
  serving(
    async () => "a 1\n",
    async (server) => {
      for (const host of ["localhost:1", "127.0.0.2", "[::1]:9", "127.0.0.1"])
        assert.equal((await ask(server, "/metrics", { host })).status, 200, host);
      for (const host of ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1"])
        assert.equal((await ask(server, "/metrics", { host })).status, 403, host);
    },
  ));

test("a page that can't be made is an error, and the next one is made", async () => {
  let fails = true;
  const page = async () => {
    if (fails) throw new Error("no numbers today");
    return "a 1\n";
  };
  await serving(page, async (server) => {
    const { status, body } = await ask(server, "/metrics");
    assert.deepEqual([status, body], [500, "no numbers today\n"]);
    fails = false;
    assert.equal((await ask(server, "/metrics")).status, 200);
  });
});

test("an address that others can reach is refused unless it is asked for in so many words", async () => {
  for (const host of ["0.0.0.0", "::", "10.1.2.3", "example.org", "127.0.0.1.example.org", ""]) {
    assert.throws(
      () => checkReach({ host, port: 1 }),
      (error) => error instanceof HostError && error.code === "metrics-exposed" && error.remedy !== "",
      host,
    );
    checkReach({ host, port: 1, reach: "anywhere" });
  }
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    assert.ok(isLoopback(host), host);
    checkReach({ host, port: 1 });
  }
  const exposed: MetricsAddress = { host: "0.0.0.0", port: 0 };
  await assert.rejects(
    MetricsServer.listen({ runtime: createRuntime(), address: exposed, page: async () => "" }),
    /metrics ask for no password/,
  );
});

test("an address in use is an error that names it", () =>
  serving(
    async () => "",
    async ({ address }) => {
      await assert.rejects(
        MetricsServer.listen({ runtime: createRuntime(), address, page: async () => "" }),
        (error) =>
          error instanceof HostError && error.code === "listen-failed" && /--metrics/.test(error.remedy),
      );
    },
  ));
