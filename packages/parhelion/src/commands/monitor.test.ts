import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { SYS_SOCKET, SysClient } from "parhelion-protocol";
import { bin, inWorkplace, type Running, until, type Workplace } from "../command.test.fixture.js";

const adapter = "/sys/devices/adapter0/uevent";

async function monitoring(place: Workplace, ...words: readonly string[]): Promise<Running> {
  const monitor = place.start(["monitor", ...words]);
  await monitor.says("monitoring");
  return monitor;
}

test("monitor prints each event as a line, with its properties if asked, or as JSON", () =>
  inWorkplace(async (place) => {
    await place.host();
    const plain = await monitoring(place);
    const full = await monitoring(place, "--property");
    const json = await monitoring(place, "--json");
    assert.equal((await place.run(["write", adapter, "change"])).status, 0);
    await plain.says("(adapter)");
    assert.match(plain.out, /^monitoring the host in .*\n +\d+ change {2}\/devices\/adapter0 \(adapter\)\n$/);
    await full.says("SEQNUM=");
    assert.match(full.out, /\nACTION=change\nDEVPATH=\/devices\/adapter0\nSUBSYSTEM=adapter\n/);
    await json.says("SEQNUM");
    const lines = json.out.trimEnd().split("\n");
    const { keys } = JSON.parse(lines.at(-1) ?? "") as { keys: Record<string, string> };
    assert.deepEqual([keys["ACTION"], keys["DEVPATH"]], ["change", "/devices/adapter0"]);
    for (const [monitor, signal] of [
      [plain, "SIGTERM"],
      [full, "SIGINT"],
      [json, "SIGTERM"],
    ] as const) {
      monitor.kill(signal);
      const { status, err } = await monitor.ended;
      assert.deepEqual([status, err], [0, ""], signal);
    }
  }));

test("a subsystem can be chosen, and a guest's events are the guest's", () =>
  inWorkplace(async (place) => {
    await place.host();
    const mdev = await monitoring(place, "--subsystem", "mdev");
    const guest = place.start(["guest", "--name", "mine"]);
    await guest.says("NODE_OPTIONS");
    await mdev.says("bind");
    assert.ok(
      mdev.out
        .trimEnd()
        .split("\n")
        .slice(1)
        .every((line) => line.endsWith("(mdev)")),
      mdev.out,
    );
    const inside = await monitoring(place, "--guest", "mine");
    assert.match(inside.out, /^monitoring guest mine, all subsystems\n/);
    await place.run(["write", "--guest", "mine", "/sys/class/dxg/dxg0/uevent", "change"]);
    await inside.says("change");
    guest.kill("SIGTERM");
    await guest.ended;
    const { status, out, err } = await inside.ended;
    assert.equal(status, 1);
    assert.match(err, /^parhelion: guest mine ended the connection\n/);
    assert.doesNotMatch(out, /adapter0/);
  }));

test("a host that dies is said, with 1", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const monitor = await monitoring(place);
    host.kill("SIGKILL");
    const { status, err } = await monitor.ended;
    assert.equal(status, 1);
    assert.match(err, /^parhelion: the host in .* ended the connection\n {2}it was stopped or it died/);
  }));

test("one that does not keep up is told how many events it lost, and goes on", () =>
  inWorkplace(async (place) => {
    await place.host();
    const monitor = await monitoring(place);
    const client = await SysClient.connect(join(place.state, SYS_SOCKET));
    try {
      monitor.kill("SIGSTOP");
      // A long event fills more than a short one; its keys end at 2048 bytes.
      const uuid = "00000000-0000-0000-0000-000000000001";
      const long = `change ${uuid} X=${"x".repeat(1800)}\n`;
      for (let i = 0; i < 600; i++) await client.write(adapter, long);
      monitor.kill("SIGCONT");
      await monitor.says("events: they came faster than they were read");
      await client.write(adapter, "online\n");
      await monitor.says("online");
      const printed = monitor.out.match(/ change {2}/g)?.length ?? 0;
      const lost = [...monitor.out.matchAll(/^lost (\d+) event/gm)].map(([, count]) => Number(count));
      assert.equal(printed + lost.reduce((sum, count) => sum + count, 0), 600, monitor.out.slice(-500));
    } finally {
      monitor.kill("SIGCONT");
      client.close();
    }
  }));

test("when nobody reads it any more it ends", () =>
  inWorkplace(async (place) => {
    await place.host();
    const monitor = `${process.execPath} ${bin} monitor`;
    const shell = place.program("sh", ["-c", `{ { ${monitor}; echo "status $?" >&3; } | head -1; } 3>&1`]);
    await shell.says("monitoring");
    await until("the monitor has noticed", async () => {
      await place.run(["write", adapter, "change"]);
      return shell.child.exitCode !== null;
    });
    assert.match((await shell.ended).out, /\nstatus 0\n$/);
  }));
