import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Refusal } from "../refusal.js";
import { engineEnvironment } from "./environment.js";
import { seal } from "./seal.js";
import { denyFilter, type SystemCalls, systemCallsOf } from "./system-calls.js";

const ALLOW = 0x7fff_0000;
const EPERM = 0x0005_0001;
const ENOSYS = 0x0005_0026;
const KILL = 0x8000_0000;

/** What the kernel makes of a classic BPF program: as much of it as these filters use. */
function verdict(program: Uint8Array, architecture: number, number: number, argument = 0): number {
  const view = new DataView(program.buffer);
  const data = new Uint32Array([number, architecture, 0, 0, argument, 0]);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const [code, value] = [view.getUint16(8 * at, true), view.getUint32(8 * at + 4, true)];
    const jump = (taken: boolean) => view.getUint8(8 * at + (taken ? 2 : 3));
    if (code === 0x20) accumulator = data[value / 4] as number;
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) at += jump(accumulator === value);
    else if (code === 0x35) at += jump(accumulator >= value);
    else if (code === 0x06) return value;
    else throw new Error(`instruction 0x${code.toString(16)} at ${at}`);
  }
}

describe("the filter of system calls", () => {
  for (const processor of ["x64", "arm64"]) {
    const calls = systemCallsOf(processor) as SystemCalls;
    const program = denyFilter(calls);
    const of = (number: number, argument?: number) => verdict(program, calls.architecture, number, argument);

    it(`denies what an engine never does, on ${processor}`, () => {
      for (const [name, number] of Object.entries(calls.denied)) assert.equal(of(number), EPERM, name);
      assert.equal(new Set(Object.values(calls.denied)).size, Object.keys(calls.denied).length);
    });

    it(`lets threads begin and processes not, on ${processor}`, () => {
      assert.equal(of(calls.clone, 0x3d0f00), ALLOW);
      assert.equal(of(calls.clone, 17), EPERM);
      assert.equal(of(calls.clone3), ENOSYS);
    });

    it(`makes sockets of this machine only, on ${processor}`, () => {
      assert.equal(of(calls.socket, 1), ALLOW);
      for (const family of [2, 10, 16, 17, 40]) assert.equal(of(calls.socket, family), EPERM);
    });

    it(`can't be gone around by other numbers, on ${processor}`, () => {
      assert.equal(verdict(program, calls.architecture ^ 1, calls.socket, 1), KILL);
      assert.equal(of(0x4000_0000 | 59), ENOSYS);
      assert.equal(of(0), ALLOW);
    });
  }

  it("is not made for a processor whose numbers are not known", () => {
    assert.equal(systemCallsOf("riscv64"), undefined);
  });
});

describe("an engine's environment", () => {
  it("has what drivers look at and nothing of the host's own", () => {
    const environment = engineEnvironment({
      PATH: "/bin",
      VK_DRIVER_FILES: "/icd.json",
      LC_ALL: "C",
      __NV_PRIME_RENDER_OFFLOAD: "1",
      AWS_SECRET_ACCESS_KEY: "secret",
      NODE_OPTIONS: "--require /evil.js",
      LD_PRELOAD: "/evil.so",
      DISPLAY: ":0",
    });
    assert.deepEqual(Object.keys(environment).sort(), [
      "LC_ALL",
      "MESA_SHADER_CACHE_DISABLE",
      "PATH",
      "VK_DRIVER_FILES",
      "__GL_SHADER_DISK_CACHE",
      "__NV_PRIME_RENDER_OFFLOAD",
    ]);
  });
});

describe("a sandbox that is required", () => {
  it("is refused when a part of it is missing, and the parts are named", () => {
    const environment = {
      PARHELION_SANDBOX: "required",
      PARHELION_SANDBOX_APPLIED: "namespaces no-new-privileges limits no-capabilities",
    };
    assert.throws(
      () => seal(undefined, environment),
      (error) =>
        error instanceof Refusal &&
        error.code === "sandbox-incomplete" &&
        /landlock, seccomp, not-dumpable missing/.test(error.message),
    );
  });

  it("is taken as it is when the best will do", () => {
    assert.deepEqual(seal(undefined, { PARHELION_SANDBOX_APPLIED: "limits landlock-6" }), [
      "limits",
      "landlock-6",
    ]);
    assert.deepEqual(seal(undefined, {}), []);
  });
});
