/** An initramfs in memory: files in the kernel's cpio format (Documentation/driver-api/early-userspace/buffer-format.rst). */

const hex = (number) => number.toString(16).padStart(8, "0");
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

function entry({ path, mode, data = Buffer.alloc(0), major = 0, minor = 0 }, number) {
  const name = Buffer.from(`${path}\0`);
  const fields = [number, mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length, 0];
  const head = Buffer.from(`070701${fields.map(hex).join("")}`);
  return Buffer.concat([padded(Buffer.concat([head, name])), padded(data)]);
}

/** @param files {path, mode, data?, major?, minor?}, with the type in the mode, directories before what is in them */
export function initramfs(files) {
  return Buffer.concat([...files, { path: "TRAILER!!!", mode: 0 }].map(entry));
}
