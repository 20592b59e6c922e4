import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bin, errorOf, holder, inWorkplace, nodeWords, until } from "../command.test.fixture.js";

/** Says that it has a device, and ends. */
const visitor = `
  const adapter = await navigator.gpu.requestAdapter();
  await adapter.requestDevice();
  console.log("visited");
  process.exit();`;

test("what guest prints makes a shell's programs part of it, and its end ends the guest", () =>
  inWorkplace(async (place) => {
    await place.host();
    const guest = place.start(["guest", "--name", "mine"]);
    await guest.says("NODE_OPTIONS");
    const program = place.file("visitor.mjs", visitor);
    const script = `${guest.out}\nexport NODE_OPTIONS="$NODE_OPTIONS"\nnode ${program}`;
    const environment = { NODE_OPTIONS: "--no-warnings" };
    const inside = await place.program("sh", ["-c", script], { environment }).ended;
    assert.deepEqual([inside.status, inside.out], [0, "visited\n"], inside.err);
    assert.equal(
      (
        await place.program("sh", ["-c", `${guest.out}\necho $NODE_OPTIONS`], { environment }).ended
      ).out.split(" ")[0],
      "--no-warnings",
    );
    guest.kill("SIGTERM");
    const { status, err } = await guest.ended;
    assert.deepEqual([status, err], [0, ""]);
    assert.deepEqual((await place.status()).guests, []);
  }));

test("guest --background returns when the nodes are there, so that a shell can evaluate it", () =>
  inWorkplace(async (place) => {
    await place.host();
    const program = place.file("visitor.mjs", visitor);
    const script = `eval "$(${process.execPath} ${bin} guest --background)"; node ${program}; kill $PARHELION_GUEST_PID`;
    const { status, out, err } = await place.program("sh", ["-c", script]).ended;
    assert.deepEqual([status, out], [0, "visited\n"], err);
    await until("the guest has ended", async () => (await place.status()).guests.length === 0);
    const failed = await place.run(["guest", "--background", "--state", join(place.directory, "none")]);
    assert.equal(failed.status, 1);
    assert.match(failed.err, /no host answers/);
  }));

test("a guest reaches its host by TCP with a credential, an address and a directory", () =>
  inWorkplace(async (place) => {
    const { ready } = await place.host("--listen", "0");
    const address = `127.0.0.1:${ready.listening?.port}`;
    const created = await place.json<{ id: string; credential: string }>("guest", "create", "--name", "far");
    const directory = join(place.directory, "far");
    const remote = ["guest", "serve", "--connect", address, "--directory", directory, "--json"];
    const guest = place.start([
      ...remote,
      "--credential-file",
      place.file("credential", `${created.credential}\n`),
    ]);
    await guest.says("\n");
    const told = JSON.parse(guest.out) as { event: string; directory: string; register: string; pid: number };
    assert.deepEqual([told.event, told.directory, told.pid], ["ready", directory, guest.pid]);
    const words = nodeWords(visitor);
    const environment = { PARHELION_DIR: told.directory, NODE_OPTIONS: `--import=${told.register}` };
    const inside = await place.program(words[0] ?? "", words.slice(1), { environment }).ended;
    assert.equal(inside.out, "visited\n", inside.err);
    const [seen] = (await place.status()).guests;
    assert.deepEqual([seen?.id, seen?.name, seen?.connection], [created.id, "far", "remote"]);

    const doctor = await place.run(["doctor", "--json"], { environment: { PARHELION_DIR: directory } });
    const hops = JSON.parse(doctor.out).hops as { hop: string; detail: string }[];
    assert.match(hops.find(({ hop }) => hop === "carrier")?.detail ?? "", /^stream, not shared memory: /);

    assert.equal((await place.run(["guest", "remove", created.id])).status, 0);
    const error = errorOf(await guest.ended);
    assert.equal(error.code, "guest-refused");
    assert.ok(!existsSync(join(directory, "dxg0")));
  }));

test("what is wrong with a remote guest is said: credential, file, address, directory", () =>
  inWorkplace(async (place) => {
    const { ready } = await place.host("--listen", "0", "--log-level", "silent");
    const address = `127.0.0.1:${ready.listening?.port}`;
    const credential = place.file("credential", "0".repeat(64));
    const attempt = async (at: string, file: string, directory = join(place.directory, "d")) =>
      errorOf(
        await place.run([
          "guest",
          "--json",
          "--connect",
          at,
          "--credential-file",
          file,
          "--directory",
          directory,
        ]),
      );
    const refused = await attempt(address, credential);
    assert.equal(refused.code, "guest-refused");
    assert.match(refused.message, /the credential is no guest's/);
    const missing = await attempt(address, join(place.directory, "none"));
    assert.match(missing.message, /cannot read the credential: ENOENT/);
    const malformed = await attempt(address, place.file("short", "abc"));
    assert.match(malformed.message, /64 hex digits/);
    const nobody = await attempt("127.0.0.1:1", credential);
    assert.equal(nobody.code, "host-unreachable");
    assert.match(nobody.message, /no host at 127\.0\.0\.1:1/);
    const file = await attempt(address, credential, credential);
    assert.equal(file.code, "directory-unusable");
    const long = await attempt(address, credential, join(place.directory, "y".repeat(110)));
    assert.match(long.message, /107/);
  }));

test("a guest whose host dies waits for it to come back, and its programs see their devices lost", () =>
  inWorkplace(async (place) => {
    const { host } = await place.host();
    const guest = place.start(["guest"]);
    await guest.says("NODE_OPTIONS");
    const program = place.file("holder.mjs", holder);
    const inside = place.program("sh", ["-c", `${guest.out}\nexec node ${program}`]);
    await inside.says("device");
    host.kill("SIGKILL");
    assert.equal((await inside.ended).status, 4);
    guest.kill("SIGTERM");
    const { status, err } = await guest.ended;
    assert.equal(status, 0, err);
  }));

test("create prints what a shell can read, and remove of a guest that is not there is refused", () =>
  inWorkplace(async (place) => {
    await place.host();
    const { out } = await place.run(["guest", "create"]);
    assert.match(out, /^[0-9a-f]{8} [0-9a-f]{64}\n$/);
    const id = out.split(" ")[0] ?? "";
    assert.deepEqual(await place.json("guest", "remove", id), { removed: id });
    const error = errorOf(await place.run(["guest", "remove", id, "--json"]));
    assert.equal(error.code, "guest-unknown");
    // --state of a subcommand wins over the environment's.
    const elsewhere = join(place.directory, "none");
    assert.match(
      (await place.run(["guest", "create", "--state", elsewhere])).err,
      /no host answers in .*none/,
    );
  }));
