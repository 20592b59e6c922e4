import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { errorOf, inWorkplace, type Workplace } from "../command.test.fixture.js";
import type { TreeNode } from "../views/tree.js";

/** The node at these names below the root. */
function at(root: TreeNode, ...names: readonly string[]): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const wanted of names) node = node?.children?.find(({ name }) => name === wanted);
  return node;
}

async function guestNamed(place: Workplace, name: string): Promise<string> {
  const guest = place.start(["guest", "--name", name, "--json"]);
  await guest.says("\n");
  return (JSON.parse(guest.out) as { directory: string }).directory;
}

test("the host's tree shows devices first, with drivers and links, to the depth asked for", () =>
  inWorkplace(async (place) => {
    await place.host();
    await guestNamed(place, "mine");
    const { status, out, err } = await place.run(["tree"]);
    assert.deepEqual([status, err], [0, ""]);
    const lines = out.split("\n");
    assert.deepEqual(lines.slice(0, 3), ["/sys", "├── devices", "│   ├── adapter0"]);
    assert.ok(
      lines.some((line) => /│ {3}├── [0-9a-f-]{36} {2}\[projected\]$/.test(line)),
      out,
    );
    assert.ok(
      lines.some((line) => /driver -> \.\.\/\.\.\/\.\.\/bus\/mdev\/drivers\/projected$/.test(line)),
      out,
    );
    const root = await place.json<TreeNode>("tree", "/");
    const [uuid] = at(root, "bus", "mdev", "devices")?.children?.map(({ name }) => name) ?? [];
    const slice = at(root, "devices", "adapter0", uuid ?? "");
    assert.deepEqual([slice?.kind, slice?.driver], ["directory", "projected"]);
    assert.equal(at(slice as TreeNode, "engine")?.path, `/sys/devices/adapter0/${uuid}/engine`);
    const shallow = await place.json<TreeNode>("tree", "/devices/adapter0", "--depth", "1");
    assert.deepEqual(at(shallow, uuid ?? ""), {
      name: uuid,
      path: `/sys/devices/adapter0/${uuid}`,
      kind: "directory",
      driver: "projected",
    });
    // A link is followed to where it leads.
    const followed = await place.json<TreeNode>("tree", `/sys/bus/mdev/devices/${uuid}`, "--depth", "0");
    assert.equal(followed.path, `/sys/devices/adapter0/${uuid}`);
  }));

test("a guest's tree is reached by its name, its id, the beginning of that, and from inside", () =>
  inWorkplace(async (place) => {
    await place.host();
    const directory = await guestNamed(place, "mine");
    const [guest] = (await place.status()).guests;
    assert.ok(guest);
    const words = ["tree", "/sys/class/dxg", "--json"];
    const outside = await Promise.all(
      [guest.id, "mine", guest.id.slice(0, 7)].map((word) => place.run([...words, "--guest", word])),
    );
    const environment = { PARHELION_DIR: directory };
    const inside = await place.run(words, { environment });
    for (const { status, out, err } of [...outside, inside]) {
      assert.equal(status, 0, err);
      const root = JSON.parse(out) as TreeNode;
      assert.deepEqual(
        root.children?.map(({ name }) => name),
        ["dxg", "dxg0"],
      );
    }
    const hosts = await Promise.all([
      place.run(["tree", "/sys/devices", "--host"], { environment }),
      place.run(["tree", "/sys/devices", "--state", place.state], { environment }),
    ]);
    for (const { out } of hosts) assert.match(out, /adapter0/);
    assert.doesNotMatch((await place.run(["tree"], { environment })).out, /adapter0/);
  }));

test("a path that is not there is answered with what is", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { status, out, err } = await place.run(["tree", "/sys/devices/adapter1/kind"]);
    assert.deepEqual([status, out], [1, ""]);
    assert.match(
      err,
      /^parhelion: ENOENT: \/sys\/devices\/adapter1.*\n {2}did you mean \/sys\/devices\/adapter0\?/,
    );
    const error = errorOf(await place.run(["tree", "/sys/bus/mdev/nothing", "--json"]));
    assert.equal(error.code, "ENOENT");
    assert.match(error.remedy, /in \/sys\/bus\/mdev there are devices drivers/);
    const through = errorOf(await place.run(["tree", "/devices/adapter0/kind/x", "--json"]));
    assert.equal(through.code, "ENOTDIR");
  }));

test("whose tree is not there is said: no host, no guest, several guests, a guest without its kernel, one elsewhere", () =>
  inWorkplace(async (place) => {
    const none = errorOf(await place.run(["tree", "--json"]));
    assert.equal(none.code, "no-host");
    const { ready } = await place.host("--listen", "0");
    const nobody = errorOf(await place.run(["tree", "--guest", "x", "--json"]));
    assert.deepEqual([nobody.code, nobody.remedy], ["no-guest", "there is none now"]);
    const ids = [];
    for (let i = 0; i < 2; i++)
      ids.push((await place.json<{ id: string }>("guest", "create", "--name", "twin")).id);
    const twins = errorOf(await place.run(["tree", "--guest", "twin", "--json"]));
    assert.equal(twins.code, "ambiguous-guest");
    for (const id of ids) assert.ok(twins.message.includes(id), twins.message);
    const idle = errorOf(await place.run(["tree", "--guest", ids[0] ?? "", "--json"]));
    assert.equal(idle.code, "guest-without-kernel");
    const far = await place.json<{ credential: string }>("guest", "create", "--name", "far");
    const remote = [
      "--connect",
      `127.0.0.1:${ready.listening?.port}`,
      "--directory",
      join(place.directory, "far"),
    ];
    const guest = place.start(["guest", ...remote, "--credential-file", place.file("c", far.credential)]);
    await guest.says("NODE_OPTIONS");
    const elsewhere = errorOf(await place.run(["tree", "--guest", "far", "--json"]));
    assert.equal(elsewhere.code, "guest-remote");
    const there = await place.run(["tree"], { environment: { PARHELION_DIR: join(place.directory, "far") } });
    assert.match(there.out, /dxg0 -> /);
    const environment = { PARHELION_DIR: place.directory };
    assert.match((await place.run(["tree"], { environment })).err, /PARHELION_DIR names it/);
  }));
