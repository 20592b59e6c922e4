/**
 * `node packages/vfio/interop/libvfio-user.mjs CLIENT`: runs libvfio-user's sample client, as it is, against our server.
 *
 * CLIENT is the program `samples/client` of a built https://github.com/nutanix/libvfio-user. It negotiates, asks for everything there
 * is, resets, lends memory by descriptors, has itself interrupted, answers the server's questions for memory, logs written pages, and
 * migrates the device from one server to another, which it starts itself: the program `server` beside it. Takes about 12 s.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const program = process.argv[2];
if (program === undefined || !existsSync(program)) {
  console.error("usage: node packages/vfio/interop/libvfio-user.mjs PATH/TO/samples/client");
  process.exit(64);
}
const limitMs = 60_000;
const ours = fileURLToPath(new URL("./sample-server.mjs", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "libvfio-user-"));
const socket = join(directory, "device.sock");
symlinkSync(resolve(program), join(directory, "client"));
writeFileSync(join(directory, "server"), `#!/bin/sh\nexec '${process.execPath}' '${ours}' "$@"\n`, {
  mode: 0o755,
});

let text = "";
const run = (command, args) => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += chunk;
      process.stdout.write(chunk);
    });
  }
  return child;
};
const server = run(join(directory, "server"), ["-v", socket]);
while (!existsSync(socket)) await new Promise((done) => setTimeout(done, 20));
const client = run(join(directory, "client"), [socket]);
function giveUp(why) {
  console.log(why);
  client.kill("SIGKILL");
  server.kill("SIGKILL");
  rmSync(directory, { recursive: true });
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, giveUp);
const limit = setTimeout(() => giveUp(`it took more than ${limitMs / 1000} s`), limitMs);
// It becomes the second server, whose client is its child: both have ended when the streams have.
await new Promise((done) => client.once("close", done));
if (server.exitCode === null) await new Promise((done) => server.once("close", done));
clearTimeout(limit);
rmSync(directory, { recursive: true });

const count = (pattern) => text.match(pattern)?.length ?? 0;
const expected = [
  ["interrupts that the client got", count(/INTx triggered/g), 2],
  ["memory as written, by descriptor", count(/by descriptor: as written/g), 2],
  ["memory as written, by messages", count(/by messages: as written/g), 2],
  ["clients that went by themselves", count(/the client hung up/g), 2],
];
for (const [what, got, wanted] of expected)
  console.log(`${got === wanted ? "ok" : "NOT OK"}: ${what}: ${got} of ${wanted}`);
process.exitCode = expected.every(([, got, wanted]) => got === wanted) ? 0 : 1;
