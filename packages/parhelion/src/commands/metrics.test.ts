import assert from "node:assert/strict";
import { test } from "node:test";
import { errorOf, holder, inWorkplace, nodeWords } from "../command.test.fixture.js";

interface Ready {
  readonly metrics: { readonly host: string; readonly port: number } | null;
}

async function page({ metrics }: Ready): Promise<string> {
  const { host, port } = metrics as { host: string; port: number };
  const answer = await fetch(`http://${host}:${port}/metrics`);
  assert.equal(answer.status, 200);
  return answer.text();
}

test("a host that is told to serves metrics of what runs on it, on this machine alone", () =>
  inWorkplace(async (place) => {
    const { ready } = await place.host("--metrics", "0");
    const served = ready as unknown as Ready;
    assert.equal(served.metrics?.host, "127.0.0.1");
    const before = await page(served);
    assert.match(before, /^parhelion_adapter_health\{adapter="adapter0",state="healthy"\} 1$/m);
    assert.doesNotMatch(before, /^parhelion_slice_info\{/m);
    const program = place.start(["run", "--name", "painter", "--", ...nodeWords(holder)]);
    await program.says("device");
    const during = await page(served);
    assert.match(during, /^parhelion_slice_devices\{slice="[0-9a-f-]{36}"\} 1$/m);
    assert.match(during, /^parhelion_guest_info\{guest="[0-9a-f]+",name="painter",connection="local"\} 1$/m);
    assert.match(during, /^parhelion_host_events_total\{event="guest\.created"\} 1$/m);
  }));

test("without being told to it serves none, and none where others could read them", () =>
  inWorkplace(async (place) => {
    const exposed = await place.run(["host", "--adapter", "null", "--metrics", "0.0.0.0:0", "--json"]);
    const { code, remedy } = errorOf(exposed);
    assert.equal(code, "metrics-exposed");
    assert.match(remedy, /--metrics-anywhere/);
    assert.equal((await place.run(["host", "--metrics", "nowhere"])).status, 2);
    const { ready } = await place.host();
    assert.equal((ready as unknown as Ready).metrics, null);
  }));

test("a limit that is given holds, and one that there is not is refused with those that there are", () =>
  inWorkplace(async (place) => {
    const unknown = errorOf(await place.run(["host", "--limit", "gests=1", "--json"]));
    assert.equal(unknown.code, "limit-unknown");
    assert.match(unknown.remedy, /guests/);
    for (const wrong of ["guests", "guests=", "guests=-1", "=1"])
      assert.equal((await place.run(["host", "--limit", wrong])).status, 2, wrong);
    await place.host("--limit", "guests=1");
    await place.json("guest", "create");
    const refused = errorOf(await place.run(["guest", "create", "--json"]));
    assert.equal(refused.code, "limit-reached");
    assert.match(refused.message, /guests is 1; the host has 1/);
    assert.match(refused.remedy, /--limit guests=NUMBER/);
  }));
