/**
 * `node packages/vfio/interop/qemu.mjs --qemu QEMU --kernel VMLINUZ [--firmware DIR] [--busybox FILE] [--accel tcg|kvm]`
 *
 * Boots Linux in QEMU with our serial card, served by `parhelion vfio serve serial:2`, as `-device vfio-user-pci`. Linux' own driver
 * has to find the card, bind to it, and bring bytes through both ports by interrupt: the first one is plugged into a loop-back plug,
 * the second one into a Unix socket at which this script sends back what it gets.
 *
 * QEMU: version 10.1 or newer, for x86_64, built with vfio-user. VMLINUZ: of Debian's linux-image-amd64, say; the driver (8250_pci)
 * has to be built in. --firmware: where QEMU finds its own files, if not where it was installed. BusyBox: static (Debian's
 * busybox-static puts it to /bin/busybox). Needs a built repository. On one slow processor it takes a minute or two.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { initramfs } from "./initramfs.mjs";

const { values } = parseArgs({
  options: {
    qemu: { type: "string" },
    kernel: { type: "string" },
    firmware: { type: "string" },
    busybox: { type: "string", default: "/bin/busybox" },
    accel: { type: "string", default: "tcg" },
  },
});
if (values.qemu === undefined || values.kernel === undefined) {
  console.error(
    "usage: qemu.mjs --qemu QEMU --kernel VMLINUZ [--firmware DIR] [--busybox FILE] [--accel tcg|kvm]",
  );
  process.exit(64);
}
const limitMs = 600_000;

/** What the guest does. Its console is the machine's own port; the card's are found by who drives them. */
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
card=$(grep -l 0x4348 /sys/bus/pci/devices/*/vendor | head -n 1)
card=$(dirname "$card")
echo "GUEST: Linux $(uname -r), card $(basename $card), driver $(basename $(readlink $card/driver))"
cat $card/resource | head -n 2
# From the same seed on both sides: 16 KiB.
i=0; while [ $i -lt 1024 ]; do echo "line $i of the text"; i=$((i+1)); done | head -c 16384 > /text
sum=$(md5sum < /text)
for tty in $(ls $card/tty); do
  stty -F /dev/$tty 115200 raw -echo
  head -c 16384 /dev/$tty > /$tty & reader=$!
  # A transmitter without flow control must not run ahead of a reader: as a terminal program does, in pieces.
  i=0; while [ $i -lt 64 ]; do dd if=/text of=/dev/$tty bs=256 skip=$i count=1 2>/dev/null; i=$((i+1)); done
  n=0; while kill -0 $reader 2>/dev/null && [ $n -lt 300 ]; do usleep 100000; n=$((n+1)); done
  if [ "$(md5sum < /$tty)" = "$sum" ]; then echo "GUEST: $tty: 16384 bytes there and back"
  else echo "GUEST: $tty: WRONG, $(wc -c < /$tty) bytes came back"; fi
done
grep ttyS /proc/interrupts
grep -v unknown /proc/tty/driver/serial
echo $(basename $card) > /sys/bus/pci/drivers/serial/unbind && echo "GUEST: unbound"
echo $(basename $card) > /sys/bus/pci/drivers/serial/bind && echo "GUEST: bound again, $(ls $card/tty | wc -l) ports"
poweroff -f
`;
const directory = (path) => ({ path, mode: 0o040755 });
const archive = initramfs([
  ...["bin", "dev", "proc", "sys"].map(directory),
  { path: "dev/console", mode: 0o020600, major: 5, minor: 1 },
  { path: "bin/busybox", mode: 0o100755, data: readFileSync(values.busybox) },
  { path: "init", mode: 0o100755, data: Buffer.from(init) },
]);

const place = mkdtempSync(join(tmpdir(), "vfio-user-qemu-"));
const path = (name) => join(place, name);
writeFileSync(path("initramfs"), archive);
const parhelion = fileURLToPath(new URL("../../parhelion/bin/parhelion.js", import.meta.url));

let text = "";
const children = [];
function run(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text += chunk;
      process.stdout.write(chunk);
    });
  }
  return child;
}
function giveUp(why) {
  console.log(why);
  for (const child of children) child.kill("SIGKILL");
  rmSync(place, { recursive: true });
  process.exit(1);
}
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, giveUp);

const said = async (what) => {
  while (!text.includes(what)) await new Promise((done) => setTimeout(done, 50));
};
const ended = (child) => new Promise((done) => child.once("close", done));
const limit = setTimeout(() => giveUp(`it took more than ${limitMs / 1000} s`), limitMs);

const lines = ["--line", "loop-back", "--line", `unix:${path("line")}`];
const server = run(process.execPath, [
  parhelion,
  "vfio",
  "serve",
  "serial:2",
  "--socket",
  path("card"),
  ...lines,
]);
await said("serving");
const line = connect(path("line"));
line.pipe(line);
const memory = "memory-backend-memfd,id=memory,size=256M,share=on";
const card = JSON.stringify({ driver: "vfio-user-pci", socket: { path: path("card"), type: "unix" } });
const started = performance.now();
await ended(
  run(values.qemu, [
    ...(values.firmware === undefined ? [] : ["-L", values.firmware]),
    ...["-machine", `q35,accel=${values.accel},memory-backend=memory`, "-m", "256M", "-object", memory],
    ...["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"],
    ...["-kernel", values.kernel, "-initrd", path("initramfs"), "-append", "console=ttyS0 quiet panic=-1"],
    ...["-device", card],
  ]),
);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
line.destroy();
server.kill("SIGTERM");
await ended(server);
clearTimeout(limit);
rmSync(place, { recursive: true });

const checks = [
  ["Linux' driver bound to the card", /GUEST: Linux .* driver serial/.test(text)],
  ["both ports brought 16 KiB there and back", text.match(/16384 bytes there and back/g)?.length === 2],
  ["the driver was unbound and bound again", /GUEST: bound again, 2 ports/.test(text)],
];
for (const [what, holds] of checks) console.log(`${holds ? "ok" : "NOT OK"}: ${what}`);
console.log(`${seconds} s`);
process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;
