import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "parhelion-core";
import { AdminClient } from "parhelion-host";
import { bin, inWorkplace, type StartOptions, type Workplace } from "../command.test.fixture.js";
import type { Hop } from "../doctor/hop.js";

interface Diagnosis {
  readonly status: number | null;
  readonly healthy: boolean;
  readonly hops: readonly Hop[];
  readonly last: Hop;
}

async function examine(
  place: Workplace,
  words: readonly string[] = [],
  options: StartOptions = {},
): Promise<Diagnosis> {
  const { status, out, err } = await place.run(["doctor", "--json", ...words], options);
  assert.equal(err, "");
  const { healthy, hops } = JSON.parse(out) as { healthy: boolean; hops: Hop[] };
  const last = hops.at(-1);
  assert.ok(last);
  assert.equal(status, healthy ? 0 : 1);
  if (!healthy) assert.notEqual(last.remedy, "", "a broken hop has a remedy");
  return { status, healthy, hops, last };
}

test("on a healthy way every hop is ok, the carrier and the sandbox are said, and the GPU computes", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { healthy, hops, last } = await examine(place);
    assert.ok(healthy, JSON.stringify(hops));
    assert.deepEqual(
      hops.map(({ hop }) => hop),
      [
        "host",
        "host's adapter",
        "guest and channel",
        "device node",
        "register hook",
        "adapter",
        "device",
        "carrier",
        "dispatch",
        "engine's sandbox",
      ],
    );
    assert.equal(hops.at(-2)?.detail, "4096 results checked");
    if (process.platform === "linux") assert.match(last.detail, /no-new-privileges, limits/);
    const stream = await examine(place, [], { environment: { PARHELION_CARRIER: "stream" } });
    const carrier = stream.hops.find(({ hop }) => hop === "carrier");
    assert.equal(carrier?.detail, "stream, not shared memory: a stream was asked for");
  }));

test("for people each hop is a line, and the broken one has its remedy below it", () =>
  inWorkplace(async (place) => {
    const healthy = await place.run(["doctor", "--adapter", "software"]);
    assert.equal(healthy.status, 0, healthy.out);
    assert.match(healthy.out, /^ok {5}host +\d+ ms {2}none was running; started a private one\n/);
    assert.match(healthy.out, /\nevery hop works\n$/);
    const broken = await place.run(["doctor", "--adapter", "no such gpu"]);
    assert.equal(broken.status, 1);
    assert.match(
      broken.out,
      /^BROKEN host .*"no such gpu".*\n +→ Install a Vulkan driver.*\nbroken: host\n$/,
    );
  }));

test("an adapter that the running host has not is said", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { healthy, last } = await examine(place, ["--adapter", "hardware"]);
    assert.ok(!healthy);
    assert.equal(last.hop, "host");
    assert.match(last.detail, /SwiftShader.*not "hardware"/);
  }));

test("a host that refuses a guest is named with the limit", () =>
  inWorkplace(async (place) => {
    await place.host();
    const admin = await AdminClient.connect(join(place.state, "admin.sock"), systemClock);
    try {
      for (let made = 0; made < 256; made += 64)
        await Promise.all(Array.from({ length: 64 }, () => admin.request("guestCreate", { slices: 0 })));
      const { healthy, last } = await examine(place);
      assert.ok(!healthy);
      assert.equal(last.hop, "guest and channel");
      assert.match(last.detail, /guests is 256; the host has 256/);
      assert.match(last.remedy, /--limit guests=/);
    } finally {
      admin.close();
    }
  }));

test("inside a guest it looks at what a program there can see, also when the host was killed", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const guest = place.start(["guest", "--log-level", "silent"]);
    await guest.says("NODE_OPTIONS");
    const directory = /PARHELION_DIR='(.*)'/.exec(guest.out)?.[1] ?? "";
    const environment = { PARHELION_DIR: directory };
    const { healthy, hops } = await examine(place, [], { environment });
    assert.ok(healthy, JSON.stringify(hops));
    assert.equal(hops[0]?.hop, "guest kernel");

    // A kernel that stays when its host goes: that of \`run\`, whose command is still there.
    const doctor = `sleep 0.1; while [ -S $PARHELION_DIR/dxg0 ]; do sleep 0.05; done; ${process.execPath} ${bin} doctor --json`;
    const run = place.start(["run", "--", "sh", "-c", `echo up; ${doctor}`]);
    await run.says("up");
    host.kill("SIGKILL");
    const { out, status } = await run.ended;
    assert.equal(status, 1);
    const orphan = JSON.parse(out.slice(out.indexOf("{"))) as { hops: Hop[] };
    assert.deepEqual(
      orphan.hops.map(({ hop, state }) => [hop, state]),
      [
        ["guest kernel", "ok"],
        ["device node", "broken"],
      ],
    );
    assert.match(orphan.hops[1]?.detail ?? "", /no vGPU any more/);
    assert.match(orphan.hops[1]?.remedy ?? "", /start the host again/);

    // It would go by itself when it has looked for its host for minutes.
    guest.kill("SIGTERM");
    await guest.ended;
    const gone = await examine(place, [], { environment });
    assert.equal(gone.last.hop, "guest kernel");
    assert.match(gone.last.detail, /no guest kernel serves/);
  }));

test("an engine that cannot start is the broken hop, with its last words", () =>
  inWorkplace(async (place) => {
    // Engines get little of the host's environment; where the system's linker looks is part of it.
    const environment = { LD_LIBRARY_PATH: place.directory };
    const host = place.start(["host", "--adapter", "software", "--json", "--log-level", "silent"], {
      environment,
    });
    await host.says("\n");
    place.file("libm.so.6", "no library");
    const { healthy, last } = await examine(place);
    assert.ok(!healthy);
    assert.equal(last.hop, "device");
    assert.match(last.detail, /engine did not start.*libm\.so\.6/);
    assert.match(last.remedy, /--log-level debug/);
  }));
