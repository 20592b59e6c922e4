import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createRuntime } from "parhelion-core";
import { NtStatus, vgpuCommand } from "parhelion-protocol";
import { AdminServer } from "./admin/admin-server.js";
import { HostError } from "./host-error.js";
import { limitError } from "./limit-error.js";
import { limitRules, type RefusalRule } from "./limit-rules.js";
import { defaultLimits, type HostLimits, type Refusal, refusalOf } from "./limits.js";
import { admissionRefusal, type Claim } from "./slices/admission.js";
import { describeSlice, type SliceWish } from "./slices/descriptor.js";
import { deviceRequest, VgpuBench } from "./vgpu/bench.test.fixture.js";
import { asCommandError, CommandError, charge, chargeRule } from "./vgpu/command-error.js";

/** Ends a test that hangs; no test comes near it. */
const patience = { timeout: 300_000 };

type Detail = Readonly<Record<string, unknown>>;

/** All that a refusal has to carry, wherever it goes. */
function isWhole(detail: Detail, rule: RefusalRule, message: string): void {
  const { code, slice, limit, used, wanted, remedy } = detail;
  assert.equal(code, "limit-reached", message);
  assert.equal(detail["rule"], rule, message);
  assert.equal(typeof slice, "string", message);
  for (const number of [limit, used, wanted]) assert.ok(Number.isFinite(number), message);
  assert.ok((used as number) + (wanted as number) > (limit as number), message);
  assert.ok(typeof remedy === "string" && remedy !== "", message);
  for (const part of [rule, String(limit), String(used), String(wanted), remedy])
    assert.ok(message.includes(part as string), `${part} is not in: ${message}`);
}

/** What a guest is told when `run` goes on until something is refused. */
async function toldToGuest(
  rule: RefusalRule,
  limits: Partial<HostLimits>,
  run: (bench: VgpuBench, process: number) => Promise<unknown>,
): Promise<void> {
  const bench = new VgpuBench(limits);
  try {
    const process = bench.processes.create(1, "app");
    await assert.rejects(run(bench, process), (error) => {
      const refusal = asCommandError(error);
      assert.equal(refusal.status, NtStatus.QUOTA_EXCEEDED, refusal.message);
      const told = JSON.parse(new TextDecoder().decode(refusal.privateData)) as Detail;
      assert.equal(told["name"], "OperationError");
      isWhole(told, rule, refusal.message);
      return true;
    });
  } finally {
    await bench.stop();
  }
}

const device = async (bench: VgpuBench, process: number): Promise<number> =>
  (await bench.call(vgpuCommand.createDevice, process, { privateData: deviceRequest() })).device;
const context = async (bench: VgpuBench, process: number, device: number): Promise<number> =>
  (await bench.call(vgpuCommand.createContextVirtual, process, { device })).context;
const allocations = (...sizes: bigint[]) =>
  sizes.map((size) => ({ size, flags: 0, privateData: new Uint8Array(0) }));

function claim(wish: SliceWish): Claim {
  return { slice: "s", descriptor: describeSlice(wish, 1000 * 65_536), usedBytes: 0 };
}

function toldToAdministrator(rule: RefusalRule, refusal: Refusal | undefined): void {
  assert.ok(refusal !== undefined);
  const { code, details, message } = limitError(refusal);
  isWhole({ code, ...details }, rule, message);
}

/** How each rule is reached. */
const reached: { readonly [rule in RefusalRule]?: () => Promise<void> } = {
  guests: async () => toldToAdministrator("guests", refusalOf(defaultLimits, "g", "guests", 256, 1)),
  slicesPerGuest: async () =>
    toldToAdministrator("slicesPerGuest", refusalOf(defaultLimits, "g", "slicesPerGuest", 0, 17)),
  slicesPerAdapter: async () =>
    toldToAdministrator(
      "slicesPerAdapter",
      admissionRefusal({ memoryBytes: 65_536_000, slices: 1 }, [claim({})], claim({})),
    ),
  adapterMemory: async () =>
    toldToAdministrator(
      "adapterMemory",
      admissionRefusal(
        { memoryBytes: 65_536_000, slices: 9 },
        [claim({ memory: { limitBytes: 65_536_000 } })],
        claim({ memory: { limitBytes: 65_536 } }),
      ),
    ),
  adapterShare: async () =>
    toldToAdministrator(
      "adapterShare",
      admissionRefusal(
        { memoryBytes: 65_536_000, slices: 9 },
        [claim({ share: 0.75, memory: { limitBytes: 65_536 } })],
        claim({ share: 0.5, memory: { limitBytes: 65_536 } }),
      ),
    ),
  processesPerGuest: () =>
    toldToGuest("processesPerGuest", { processesPerGuest: 1 }, async (bench) =>
      bench.processes.create(2, "b"),
    ),
  objectsPerProcess: () =>
    toldToGuest("objectsPerProcess", { objectsPerProcess: 1 }, async (bench, process) =>
      context(bench, process, await device(bench, process)),
    ),
  devicesPerSlice: () =>
    toldToGuest("devicesPerSlice", { devicesPerSlice: 1 }, async (bench, process) => {
      await device(bench, process);
      await device(bench, process);
    }),
  contextsPerDevice: () =>
    toldToGuest("contextsPerDevice", { contextsPerDevice: 1 }, async (bench, process) => {
      const handle = await device(bench, process);
      await context(bench, process, handle);
      await context(bench, process, handle);
    }),
  queuesPerDevice: () =>
    toldToGuest("queuesPerDevice", { queuesPerDevice: 1 }, async (bench, process) => {
      const handle = await context(bench, process, await device(bench, process));
      for (let i = 0; i < 2; i++) await bench.call(vgpuCommand.createHwQueue, process, { context: handle });
    }),
  remoteQueuesPerGuest: () =>
    toldToGuest("remoteQueuesPerGuest", { remoteQueuesPerGuest: 1 }, async (bench, process) => {
      const handle = await context(bench, process, await device(bench, process));
      for (let i = 0; i < 2; i++) await bench.call(vgpuCommand.createHwQueue, process, { context: handle });
    }),
  fencesPerDevice: () =>
    toldToGuest("fencesPerDevice", { fencesPerDevice: 1 }, async (bench, process) => {
      const kind = { device: await device(bench, process), kind: 5 };
      for (let i = 0; i < 2; i++) await bench.call(vgpuCommand.createSyncObject, process, kind);
    }),
  waitsPerProcess: () =>
    toldToGuest("waitsPerProcess", { waitsPerProcess: 1 }, async (bench, process) => {
      const kind = { device: await device(bench, process), kind: 5 };
      const { syncObject } = await bench.call(vgpuCommand.createSyncObject, process, kind);
      const wait = { objects: [syncObject], fenceValues: [1n] };
      // Ends with the bench.
      bench.call(vgpuCommand.waitForSyncFromCpu, process, wait).catch(() => undefined);
      await bench.call(vgpuCommand.waitForSyncFromCpu, process, wait);
    }),
  allocationsPerDevice: () =>
    toldToGuest("allocationsPerDevice", { allocationsPerDevice: 1 }, async (bench, process) =>
      bench.call(vgpuCommand.createAllocation, process, {
        device: await device(bench, process),
        allocations: allocations(1n, 1n),
      }),
    ),
  allocatedBytesPerSlice: () =>
    toldToGuest("allocatedBytesPerSlice", { allocatedBytesPerSlice: 9 }, async (bench, process) =>
      bench.call(vgpuCommand.createAllocation, process, {
        device: await device(bench, process),
        allocations: allocations(10n),
      }),
    ),
  nodeOpens: async () => {
    assert.throws(
      () => chargeRule("s", "nodeOpens", 1, 1),
      (error) => {
        assert.ok(error instanceof CommandError);
        isWhole(error.detail, "nodeOpens", error.message);
        return true;
      },
    );
  },
  adminConnections: () =>
    onAdminSocket({ maxConnections: 1, maxRequests: 9 }, async (path) => {
      const first = connect(path);
      first.write('{"id":1,"method":"echo"}\n');
      await once(first, "data");
      const error = await errorOf(path, "");
      isWhole(error, "adminConnections", String(error["message"]));
      first.destroy();
    }),
  adminRequests: () =>
    onAdminSocket({ maxConnections: 9, maxRequests: 1 }, async (path) => {
      const error = await errorOf(path, '{"id":1,"method":"never"}\n{"id":2,"method":"echo"}\n');
      isWhole(error, "adminRequests", String(error["message"]));
    }),
};

async function onAdminSocket(
  limits: { readonly maxConnections: number; readonly maxRequests: number },
  run: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "phr-"));
  const path = join(directory, "admin.sock");
  const methods = { echo: async () => ({}), never: () => new Promise(() => undefined) };
  const server = await AdminServer.listen({ path, methods, runtime: createRuntime(), ...limits });
  try {
    await run(path);
  } finally {
    await server.close();
    await rm(directory, { recursive: true });
  }
}

/** The first line that the server says, which has to be an error. */
async function errorOf(path: string, request: string): Promise<Detail> {
  const socket = connect(path);
  socket.setEncoding("utf8").write(request);
  const [line] = (await once(socket, "data")) as [string];
  socket.destroy();
  return (JSON.parse(line) as { readonly error: Detail }).error;
}

for (const [rule, { kind }] of Object.entries(limitRules) as [RefusalRule, { kind: string }][]) {
  if (kind !== "refusal") continue;
  test(
    `${rule}: who is refused is told code, slice, rule, limit, use, wish and remedy`,
    patience,
    async () => {
      const reach = reached[rule];
      assert.ok(reach !== undefined, "say in this test how the rule is reached");
      await reach();
    },
  );
}

test("whatever the numbers, what fits is given and what does not is refused with all of them", () => {
  const rules = Object.keys(defaultLimits) as (keyof HostLimits)[];
  const number = fc.nat(1000);
  fc.assert(
    fc.property(fc.constantFrom(...rules), number, number, number, (rule, limit, used, wanted) => {
      const limits = { ...defaultLimits, [rule]: limit };
      const refusal = refusalOf(limits, "s", rule, used, wanted);
      assert.equal(refusal === undefined, used + wanted <= limit);
      if (refusal === undefined) return charge(limits, "s", rule, used, wanted);
      toldToAdministrator(rule, refusal);
      assert.throws(
        () => charge(limits, "s", rule, used, wanted),
        (error) => {
          assert.ok(error instanceof CommandError);
          isWhole(error.detail, rule, error.message);
          return true;
        },
      );
    }),
  );
});

test("a guest gets the details of the host's other refusals as well", () => {
  const error = new HostError("adapter-drained", "adapter0 takes none.", {
    details: { adapter: "adapter0", retryInMs: 7 },
    remedy: "Try again then.",
  });
  const { status, detail } = asCommandError(error);
  assert.equal(status, NtStatus.DEVICE_BUSY);
  assert.deepEqual(detail, {
    name: "OperationError",
    code: "adapter-drained",
    message: "adapter0 takes none. Try again then.",
    adapter: "adapter0",
    retryInMs: 7,
    remedy: "Try again then.",
  });
});
