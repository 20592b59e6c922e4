/**
 * `node packages/vfio/interop/qemu-vgpu.mjs --qemu QEMU --kernel VMLINUZ --modules DIR [--firmware DIR] [--busybox FILE] [--only NAME]`
 *
 * Virtual machines in which a driver (vgpu-driver.c) uses a slice of this machine's GPU: `parhelion host` serves the slice, QEMU's
 * `-device vfio-user-pci` is its client, and all that the driver and the engine say to each other goes through the guest's memory.
 *
 *   driver  Linux' own vfio-pci in the guest, behind an IOMMU: MSI-X, memory by descriptors; a serial card beside it. The guest is
 *           started again; the serial card is unplugged and plugged in again; then the slice is removed in use.
 *   unplug  The same, and the function is unplugged in use. QEMU 10.2.0-rc2 aborts then, with any device that has MSI-X.
 *   deaths  No IOMMU, no interrupts. Memory that can't be shared, and QEMU killed in the middle; QEMU again on the same socket, and
 *           the guest stopped hard in the middle; the host killed in the middle, and all of it again.
 *
 * QEMU: version 10.1 or newer, for x86_64, with vfio-user, intel-iommu and pcie-root-port. VMLINUZ and DIR (lib/modules/VERSION): of
 * Debian's linux-image-amd64, say. --firmware: where QEMU finds its own files, if not where it was installed. BusyBox: static. Needs a
 * built repository and a C compiler with a static libc (`cc`). On one slow processor it takes about ten minutes.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { initramfs } from "./initramfs.mjs";
import { Machine, obey, Place, parhelion } from "./machine.mjs";
import { vgpuProgram } from "./vgpu-program.mjs";

const { values } = parseArgs({
  options: {
    qemu: { type: "string" },
    kernel: { type: "string" },
    modules: { type: "string" },
    firmware: { type: "string" },
    busybox: { type: "string", default: "/bin/busybox" },
    only: { type: "string" },
  },
});
const { qemu, kernel, modules, firmware, busybox, only } = values;
for (const [name, path] of Object.entries({ qemu, kernel, modules, busybox }))
  if (path === undefined || !existsSync(path)) {
    console.error(
      `--${name} ${path ?? "is missing"}${path === undefined ? "" : " is not there"}\nusage: qemu-vgpu.mjs --qemu QEMU --kernel VMLINUZ --modules DIR [--firmware DIR] [--busybox FILE] [--only driver|unplug|deaths]`,
    );
    process.exit(64);
  }
const rounds = 100;
const place = new Place(1_500_000);
const at = (name) => place.path(name);

/** In this order they load. */
const drivers = [
  "virt/lib/irqbypass.ko",
  "drivers/vfio/vfio.ko",
  "drivers/vfio/vfio_virqfd.ko",
  "drivers/vfio/vfio_iommu_type1.ko",
  "drivers/vfio/pci/vfio-pci-core.ko",
  "drivers/vfio/pci/vfio-pci.ko",
];
const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for file in ${drivers.map((file) => basename(file)).join(" ")}; do insmod /$file; done
find_vgpu() { vgpu=$(basename $(dirname $(grep -l 0x008e /sys/bus/pci/devices/*/device))); }
# Hands the function to vfio-pci.
bind() {
  find_vgpu; device=/sys/bus/pci/devices/$vgpu
  echo vfio-pci > $device/driver_override; echo $vgpu > /sys/bus/pci/drivers_probe
  group=/dev/vfio/$(basename $(readlink $device/iommu_group))
  echo "GUEST: $vgpu is bound to $(basename $(readlink $device/driver)), $group"
}
by_vfio() { vgpu-driver vfio $group $vgpu /program /results $1; }
# Six bytes to each port of the serial card, and back.
serial_card() {
  count=0
  for tty in $(ls /sys/bus/pci/drivers/serial/0*/tty); do
    exec 3<>/dev/$tty; stty -F /dev/$tty raw -echo; echo hello >&3
    read -r -t 5 back <&3; exec 3>&-
    [ "$back" = hello ] && count=$((count+1))
  done
  [ $count = 2 ]
}
# Waits for so many serial cards.
until_cards() {
  n=0; while [ $(ls -d /sys/bus/pci/drivers/serial/0* 2>/dev/null | wc -l) != $1 ] && [ $n -lt 300 ]; do usleep 100000; n=$((n+1)); done
  [ $n -lt 300 ]
}
by_address() { find_vgpu; vgpu-driver physical $vgpu /program /results $1; }
${obey}`;

const { program, results } = vgpuProgram(rounds);
execFileSync(
  "cc",
  [
    "-O1",
    "-Wall",
    "-static",
    "-o",
    at("vgpu-driver"),
    fileURLToPath(new URL("./vgpu-driver.c", import.meta.url)),
  ],
  {
    stdio: "inherit",
  },
);
const directory = (name) => ({ path: name, mode: 0o040755 });
writeFileSync(
  at("initramfs"),
  initramfs([
    ...["bin", "dev", "proc", "sys"].map(directory),
    { path: "dev/console", mode: 0o020600, major: 5, minor: 1 },
    { path: "bin/busybox", mode: 0o100755, data: readFileSync(busybox) },
    { path: "bin/vgpu-driver", mode: 0o100755, data: readFileSync(at("vgpu-driver")) },
    ...drivers.map((file) => ({
      path: basename(file),
      mode: 0o100644,
      data: readFileSync(join(modules, "kernel", file)),
    })),
    { path: "program", mode: 0o100644, data: program },
    { path: "results", mode: 0o100644, data: results },
    { path: "init", mode: 0o100755, data: Buffer.from(init) },
  ]),
);

const environment = { ...process.env, PARHELION_STATE: at("state") };
const command = (...args) => place.run(process.execPath, [parhelion, ...args], environment);
async function host() {
  const child = command("host", "--adapter", "software", "--log-level", "info", "--json");
  await place.until(child, /\n/);
  return child;
}
async function createSlice() {
  const child = command("slice", "create", "--vfio");
  await child.over;
  return child.said.trim();
}
async function serve(device, socket, ...more) {
  const child = command("vfio", "serve", device, "--socket", at(socket), ...more);
  await place.until(child, /serving/);
  return child;
}
/** A device as QEMU's command line and its monitor have it. */
const card = (socket, bus) => ({
  driver: "vfio-user-pci",
  id: socket,
  socket: { path: at(socket), type: "unix" },
  // How long QEMU waits for an answer, in ms: for each one, and with the whole machine, also when nobody is there any more.
  "x-msg-timeout": 1000,
  ...(bus === undefined ? {} : { bus }),
});
const machine = (memory, args) =>
  new Machine(place, {
    ...{ qemu, firmware, kernel, initramfs: at("initramfs"), append: "intel_iommu=on hugepages=4" },
    args: (accel) => [
      ...[
        "-machine",
        `q35,accel=${accel},memory-backend=memory`,
        "-m",
        "256M",
        "-object",
        `${memory},id=memory,size=256M`,
      ],
      ...args,
    ],
  });
const shared = "memory-backend-memfd,share=on";
const unshared = "memory-backend-ram,share=off";
/** How often the device asked QEMU for memory, as QEMU's own trace has it. */
const asked = () => readFileSync(at("trace"), "utf8").match(/vfio_user_recv_request/g)?.length ?? 0;
const traced = ["-trace", "vfio_user_recv_request", "-D", at("trace")];
const left = () => readdirSync(place.directory).filter((name) => ["vgpu", "card"].includes(name));

const visits = {
  async driver() {
    const running = await host();
    const uuid = await createSlice();
    const serving = await serve(uuid, "vgpu");
    const serial = await serve("serial:2", "card", "--line", "loop-back", "--line", `unix:${at("line")}`);
    const line = connect(at("line"));
    line.pipe(line);
    const vm = machine(shared, [
      ...["-device", "intel-iommu,caching-mode=on"],
      ...["-device", "pcie-root-port,id=upper,chassis=1,slot=1"],
      ...["-device", JSON.stringify(card("vgpu"))],
      ...["-device", JSON.stringify(card("card", "upper"))],
      ...traced,
    ]);
    for (const boot of ["first", "second"]) {
      await vm.ready();
      await vm.do("bind");
      place.check(`${boot} boot: the driver computed through vfio-pci`, (await vm.do("by_vfio 3")) === 0);
      await vm.do("grep vfio /proc/interrupts");
      place.check(`${boot} boot: the serial card beside it works`, (await vm.do("serial_card")) === 0);
      if (boot === "first") vm.begin("reboot -f");
    }
    place.check("memory was reached by descriptors", asked() === 0);

    await vm.ask("device_del", { id: "card" });
    place.check("the serial card was unplugged", (await vm.do("until_cards 0")) === 0);
    // QEMU hangs up only when the guest has powered the slot off.
    for (let tries = 0; (await vm.ask("device_add", card("card", "upper"))).error !== undefined; tries++) {
      if (tries === 50) place.giveUp("the serial card can't be plugged in again");
      await new Promise((done) => setTimeout(done, 200));
    }
    await vm.do("until_cards 1");
    place.check("and plugged in again, and works", (await vm.do("serial_card")) === 0);

    vm.begin("by_vfio 1000");
    await vm.says(/run 1:/);
    const removal = command("slice", "remove", uuid);
    await removal.over;
    place.check("the slice was removed in use", removal.exitCode === 0);
    await serving.over;
    place.check("its service ended", serving.exitCode === 1);
    place.check("the driver noticed", (await vm.says(/GUEST: ended (\d+)/))[1] === "1");
    place.check("the guest goes on, and so does the other card", (await vm.do("serial_card")) === 0);
    // Powered off it would wait for the function at every unmapping.
    vm.qemu.kill("SIGKILL");
    await vm.qemu.over;
    line.destroy();
    for (const child of [serial, running]) child.kill("SIGTERM");
    await Promise.all([serial.over, running.over]);
    place.check("no socket is left", left().length === 0);
  },

  async unplug() {
    const running = await host();
    const uuid = await createSlice();
    const serving = await serve(uuid, "vgpu");
    const vm = machine(shared, [
      ...["-device", "intel-iommu,caching-mode=on"],
      ...["-device", "pcie-root-port,id=upper,chassis=1,slot=1"],
      ...["-device", JSON.stringify(card("vgpu", "upper"))],
    ]);
    await vm.ready();
    await vm.do("bind");
    vm.begin("by_vfio 1000");
    await vm.says(/run 1:/);
    await vm.ask("device_del", { id: "vgpu" });
    const [, status] = await vm.says(/GUEST: ended (\d+)/);
    place.check("unplugged in use: the driver was asked to leave, and left", status === "2");
    await place.until(running, /"event":"vfio-user.client-gone"/);
    vm.qemu.kill("SIGTERM");
    await vm.qemu.over;
    const { signalCode } = vm.qemu;
    console.log(`QEMU ended by ${signalCode === null ? "itself" : signalCode}`);
    const removal = command("slice", "remove", uuid);
    await Promise.all([removal.over, serving.over]);
    place.check("the slice was removed", removal.exitCode === 0);
    running.kill("SIGTERM");
    await running.over;
    place.check("no socket is left", left().length === 0);
  },

  async deaths() {
    let running = await host();
    const uuid = await createSlice();
    let serving = await serve(uuid, "vgpu");
    const args = [...["-device", JSON.stringify(card("vgpu"))], ...traced];
    let vm = machine(unshared, args);
    await vm.ready();
    place.check("memory that can't be shared: the driver computed", (await vm.do("by_address 1")) === 0);
    place.check(`memory was asked for by messages, ${asked()} times`, asked() > 20);
    vm.begin("by_address 1000");
    await vm.says(/run 2:/);
    vm.qemu.kill("SIGKILL");
    await vm.qemu.over;

    vm = machine(shared, args);
    await vm.ready();
    place.check("QEMU again on the same socket: the driver computed", (await vm.do("by_address 3")) === 0);
    place.check("memory was reached by descriptors", asked() === 0);
    vm.begin("by_address 1000");
    await vm.says(/run 1:/);
    await vm.ask("system_reset");
    await vm.ready();
    place.check(
      "stopped hard in the middle, booted again: the driver computed",
      (await vm.do("by_address 1")) === 0,
    );
    vm.begin("by_address 1000");
    await vm.says(/run 2:/);
    running.kill("SIGKILL");
    place.check("the host was killed: the driver noticed", (await vm.says(/GUEST: ended (\d+)/))[1] === "1");
    place.check("the guest goes on", (await vm.do("true")) === 0);
    vm.qemu.kill("SIGKILL");
    await vm.qemu.over;
    await serving.over;
    place.check("its service ended", serving.exitCode === 1);

    running = await host();
    serving = await serve(uuid, "vgpu");
    vm = machine(shared, args);
    await vm.ready();
    place.check("host and QEMU again: the driver computed", (await vm.do("by_address 1")) === 0);
    vm.begin("poweroff -f");
    await vm.qemu.over;
    for (const child of [serving, running]) child.kill("SIGTERM");
    await Promise.all([serving.over, running.over]);
    place.check("no socket is left", left().length === 0);
  },
};

for (const [name, visit] of Object.entries(visits)) if (only === undefined || only === name) await visit();
await place.close();
