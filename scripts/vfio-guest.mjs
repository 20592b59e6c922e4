// Boots a Linux guest with a serial card that `parhelion vfio serve` serves, and has its own driver for that card move bytes both
// ways: port 0 is plugged into loop-back, port 1 into a Unix socket that this script holds.
//
//   node scripts/vfio-guest.mjs --qemu QEMU --kernel VMLINUZ [--busybox BUSYBOX] [--qemu-data DIR]
//
// QEMU 10.1 or newer with vfio-user-pci; a Linux kernel with 8250_pci built in (Debian's linux-image-amd64 has it: `apt-get download`
// and `dpkg-deb -x` get it without installing it); a static busybox (Debian: busybox-static), /bin/busybox by default; cpio. Nothing of
// that is installed or looked for elsewhere. Build first: npx tsc -b.
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./setup.mjs";

const { values } = parseArgs({
  options: {
    qemu: { type: "string" },
    "qemu-data": { type: "string" },
    kernel: { type: "string" },
    busybox: { type: "string", default: "/bin/busybox" },
    bytes: { type: "string", default: "4000" },
    verbose: { type: "boolean", default: false },
  },
});
const bytes = Number(values.bytes);
for (const name of ["qemu", "kernel", "busybox"]) {
  const path = values[name];
  if (path !== undefined && existsSync(path)) continue;
  console.error(`--${name} ${path === undefined ? "is missing" : `names ${path}, which is not there`}`);
  process.exit(2);
}

const init = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
say() { echo "GUEST $*"; }
for card in /sys/bus/pci/devices/*; do
  [ "$(cat $card/vendor):$(cat $card/device)" = 0x4348:0x3253 ] && break
done
say card $(basename $card)
say driver $(basename "$(readlink $card/driver)")
say ports $(ls $card/tty)
set -- $(ls $card/tty)
grep -E "^($(echo $1 | sed s/ttyS//)|$(echo $2 | sed s/ttyS//)):" /proc/tty/driver/serial | sed 's/^/GUEST serial /'
for port in $1 $2; do stty -F /dev/$port 115200 raw -echo -crtscts clocal; done
head -c ${bytes} /dev/urandom > /tmp/a
( timeout 60 head -c ${bytes} < /dev/$1 > /tmp/b ) & sleep 1
cat /tmp/a > /dev/$1
wait
cmp /tmp/a /tmp/b && say loop-back same
( timeout 60 head -c ${bytes} < /dev/$2 > /tmp/c ) &
sleep 1
echo ready > /dev/$2
wait
say received $(md5sum < /tmp/c | cut -d' ' -f1)
cat /tmp/a > /dev/$2
say sent $(md5sum < /tmp/a | cut -d' ' -f1)
sleep 2
grep -E "$1|$2|serial|ttyS" /proc/interrupts | sed 's/^/GUEST interrupts /'
grep -E "^($(echo $1 | sed s/ttyS//)|$(echo $2 | sed s/ttyS//)):" /proc/tty/driver/serial | sed 's/^/GUEST serial /'
# What the driver does when it goes, and when it comes again.
echo $(basename $card) > /sys/bus/pci/drivers/serial/unbind && say unbound
echo $(basename $card) > /sys/bus/pci/drivers/serial/bind && say bound $(ls $card/tty)
say end
reboot -f
`;

const work = mkdtempSync(join(tmpdir(), "vfio-guest-"));
const children = [];
const results = [];
const check = (what, good) => {
  results.push(good);
  console.log(`${good ? "yes" : "NO "}  ${what}`);
};

try {
  const tree = join(work, "root");
  mkdirSync(join(tree, "bin"), { recursive: true });
  copyFileSync(values.busybox, join(tree, "bin/busybox"));
  writeFileSync(join(tree, "init"), init);
  chmodSync(join(tree, "init"), 0o755);
  const pack = spawnSync("sh", ["-c", `find . | cpio -o -H newc --quiet > ../initramfs`], { cwd: tree });
  if (pack.status !== 0) throw new Error(`cpio: ${pack.stderr}`);

  const socket = join(work, "card");
  const line = join(work, "line");
  const parhelion = join(root, "packages/parhelion/bin/parhelion.js");
  const serve = start("parhelion", process.execPath, [
    ...[parhelion, "vfio", "serve", "serial:2", "--socket", socket, "--log-level", "warn"],
    ...["--line", "loop-back", "--line", `unix:${line}`],
  ]);
  await serve.says("serving serial:2", 20_000);

  const peer = connect(line);
  const toGuest = randomBytes(bytes);
  const fromGuest = [];
  peer.on("data", (chunk) => {
    fromGuest.push(chunk);
    if (Buffer.concat(fromGuest).toString("latin1") === "ready\n") peer.write(toGuest);
  });

  const data = values["qemu-data"] === undefined ? [] : ["-L", values["qemu-data"]];
  const qemu = start("qemu", values.qemu, [
    ...data,
    ...["-machine", "q35,accel=kvm:tcg,memory-backend=ram", "-cpu", "max", "-m", "256", "-nodefaults"],
    ...["-object", "memory-backend-memfd,id=ram,size=256M,share=on"],
    ...["-display", "none", "-serial", "stdio", "-no-reboot"],
    ...["-kernel", values.kernel, "-initrd", join(work, "initramfs")],
    ...["-append", "console=ttyS0 quiet panic=-1"],
    ...["-device", JSON.stringify({ driver: "vfio-user-pci", socket: { type: "unix", path: socket } })],
  ]);
  await qemu.says("GUEST end", 240_000);
  const said = qemu.text.replaceAll("\r", "").split("\n").filter((each) => each.startsWith("GUEST "));
  for (const each of said) console.log(`     ${each.slice(6)}`);
  const md5 = (text) => createHash("md5").update(text).digest("hex");
  const word = (name) => said.find((each) => each.startsWith(`GUEST ${name} `))?.slice(7 + name.length);
  const heard = Buffer.concat(fromGuest).subarray("ready\n".length);
  check("Linux's own driver has the card", word("driver") === "serial");
  check("it has found both ports", word("ports")?.split(" ").length === 2);
  check(`${bytes} bytes come back through loop-back`, word("loop-back") === "same");
  check(`${bytes} bytes go from the host to the guest`, word("received") === md5(toGuest));
  check(`${bytes} bytes go from the guest to the host`, word("sent") === md5(heard));
  check("the driver is unbound and bound again", word("bound")?.split(" ").length === 2);
  serve.child.kill("SIGTERM");
  check("the server ends in order", (await serve.ended) === 0);
  check("nothing is left of its sockets", !existsSync(socket) && !existsSync(line));
  peer.destroy();
} catch (error) {
  console.error(String(error));
  results.push(false);
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
}
process.exit(results.every(Boolean) ? 0 : 1);

function start(name, file, args) {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const running = {
    child,
    text: "",
    ended: new Promise((resolve) => child.once("close", resolve)),
    async says(text, patienceMs) {
      const deadline = Date.now() + patienceMs;
      while (!running.text.includes(text)) {
        if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${running.text}`);
        if (Date.now() > deadline) throw new Error(`${name} did not say "${text}":\n${running.text}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
  };
  const hear = (chunk) => {
    running.text += chunk;
    if (values.verbose) process.stderr.write(chunk);
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  child.once("error", (error) => hear(`${error.message}\n`));
  return running;
}
