import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Errno } from "parhelion-core";
import { StatusErrno } from "parhelion-protocol";
import { closest, describe } from "./nearby.js";
import { MAX_SYS_BYTES, resolveLink, sysPath } from "./path.js";

test("a path, a devpath and a relative path are the same place", () => {
  for (const word of ["/sys/devices/x", "/devices/x", "devices/x", "devices//x/", "//sys//devices/x"])
    assert.equal(sysPath(word), "/sys/devices/x", word);
  for (const word of ["/", "/sys", "/sys/", "//"]) assert.equal(sysPath(word), "/sys", word);
  assert.equal(sysPath("/system"), "/sys/system");
  assert.equal(sysPath("/sys/bus/x/devices/y/.."), "/sys/bus/x/devices/y/..", "links decide what it means");
});

test("whatever is typed leads below /sys or is refused by name", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (word) => {
      if (word === "" || word.includes("\0")) assert.throws(() => sysPath(word), { code: "EINVAL" });
      else assert.match(sysPath(word), /^\/sys($|\/)/);
    }),
  );
  assert.throws(() => sysPath("x".repeat(MAX_SYS_BYTES + 1)), { code: "ENAMETOOLONG" });
});

test("a link leads on from the directory that it is in", () => {
  assert.equal(resolveLink("/sys/bus/pci/devices/a", "../../../devices/root/a"), "/sys/devices/root/a");
});

test("a wrong name is answered with the one that was meant", () => {
  const names = ["description", "driver", "kind", "uevent"];
  assert.deepEqual(closest("kin", names), ["kind"]);
  assert.deepEqual(closest("knid", names), []);
  assert.deepEqual(closest("drivers", names), ["driver"]);
  assert.equal(
    describe("/sys/devices/x", "drivers", names),
    "did you mean /sys/devices/x/driver? in /sys/devices/x there are description driver kind uevent",
  );
  assert.match(
    describe("/sys", "q", Array.from("abcdefghij")),
    /^in \/sys there are a b c d e f g h and 2 more$/,
  );
  assert.equal(describe("/sys/bus", "q", []), "/sys/bus is there, and empty");
});

test("every errno of the device model has its name at the other end of a socket", () => {
  for (const [name, number] of Object.entries(Errno))
    assert.equal(Reflect.get(StatusErrno, name), number, name);
});
