import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { prepareSoftwareAdapter, SoftwareAdapterError } from "./software-adapter.js";

/** Adds 1 to each of 64 numbers on whatever adapter Dawn finds, and tells the parent. */
const PROBE = `
  import { create, globals } from "webgpu";
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) { process.send({ vendor: null }); process.exit(0); }
  const device = await adapter.requestDevice();
  const input = Uint32Array.from({ length: 64 }, (_, i) => i * 3);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const storage = device.createBuffer({ size: input.byteLength, usage });
  const staging = device.createBuffer({ size: input.byteLength, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  device.queue.writeBuffer(storage, 0, input);
  const module = device.createShaderModule({ code: \`
    @group(0) @binding(0) var<storage, read_write> data: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] += 1; }\` });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer: storage } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline); pass.setBindGroup(0, group); pass.dispatchWorkgroups(1); pass.end();
  encoder.copyBufferToBuffer(storage, 0, staging, 0, input.byteLength);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const output = [...new Uint32Array(staging.getMappedRange())];
  process.send({ vendor: adapter.info.vendor, architecture: adapter.info.architecture, output }, () => process.exit(0));
`;

interface ProbeResult {
  vendor: string | null;
  architecture: string;
  output: number[];
}

async function probe(env: NodeJS.ProcessEnv): Promise<ProbeResult> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PROBE], {
    cwd: import.meta.dirname,
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  const [message] = (await once(child, "message")) as [ProbeResult];
  await exited;
  return message;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => assert.fail("expected a refusal"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SoftwareAdapterError, String(error));
  return error.code;
}

describe("the software adapter", () => {
  let scratch = "";
  let serial = 0;
  const freshRoot = () => join(scratch, `root-${serial++}`);

  before(async () => {
    scratch = await mkdtemp(join(tmpdir(), "software-adapter-test-"));
  });
  after(async () => {
    await rm(scratch, { recursive: true, force: true });
  });

  it("gives a process without a GPU an adapter that computes", { timeout: 300_000 }, async () => {
    const { env } = await prepareSoftwareAdapter({ cacheRoot: freshRoot(), environment: {} });
    const result = await probe({ PATH: process.env["PATH"], ...env });
    assert.equal(`${result.vendor}/${result.architecture}`, "google/swiftshader");
    assert.deepEqual(
      result.output,
      Array.from({ length: 64 }, (_, i) => i * 3 + 1),
    );
  });

  it("unpacks once, then finds the files", async () => {
    const cacheRoot = freshRoot();
    assert.equal((await prepareSoftwareAdapter({ cacheRoot })).origin, "unpacked");
    const second = await prepareSoftwareAdapter({ cacheRoot });
    assert.equal(second.origin, "cached");
    assert.deepEqual(
      await readdir(cacheRoot),
      [`swiftshader-${second.version}`],
      "nothing else is left behind",
    );
  });

  it("wins over a driver that the environment names, and keeps the environment's libraries", async () => {
    const environment = { LD_LIBRARY_PATH: "/opt/lib", VK_DRIVER_FILES: "/opt/other.json" };
    const { env, directory } = await prepareSoftwareAdapter({ cacheRoot: freshRoot(), environment });
    assert.equal(env.LD_LIBRARY_PATH, `${directory}:/opt/lib`);
    assert.equal(env.VK_DRIVER_FILES, join(directory, "vk_swiftshader_icd.json"));
    assert.equal(env.VK_ICD_FILENAMES, env.VK_DRIVER_FILES);
  });

  it("lets many callers unpack at once", async () => {
    const cacheRoot = freshRoot();
    await Promise.all(Array.from({ length: 6 }, () => prepareSoftwareAdapter({ cacheRoot })));
    assert.equal((await prepareSoftwareAdapter({ cacheRoot })).origin, "cached");
    assert.equal((await readdir(cacheRoot)).length, 1);
  });

  describe("rebuilds a cache in which", () => {
    const damages: Record<string, (directory: string) => Promise<void>> = {
      "a library is cut short": (directory) => truncate(join(directory, "libvk_swiftshader.so"), 4096),
      "one byte of a library has changed": async (directory) => {
        const path = join(directory, "libvulkan.so.1");
        const content = await readFile(path);
        content[1000] = (content[1000] ?? 0) ^ 1;
        await writeFile(path, content);
      },
      "a file is missing": (directory) => rm(join(directory, "vk_swiftshader_icd.json")),
      "the digests never arrived": (directory) => rm(join(directory, "sha256.json")),
      "the digests are not JSON": (directory) => writeFile(join(directory, "sha256.json"), "{"),
    };
    for (const [name, damage] of Object.entries(damages)) {
      it(name, async () => {
        const cacheRoot = freshRoot();
        const { directory } = await prepareSoftwareAdapter({ cacheRoot });
        await damage(directory);
        assert.equal((await prepareSoftwareAdapter({ cacheRoot })).origin, "unpacked");
        assert.equal((await prepareSoftwareAdapter({ cacheRoot })).origin, "cached");
      });
    }
  });

  it("keeps other users out of the cache", async () => {
    const cacheRoot = freshRoot();
    const { directory } = await prepareSoftwareAdapter({ cacheRoot });
    await chmod(directory, 0o777);
    await prepareSoftwareAdapter({ cacheRoot });
    assert.equal((await stat(directory)).mode & 0o022, 0);
  });

  it("says so when the cache directory cannot be used", { timeout: 300_000 }, async () => {
    const blocked = join(scratch, "a-file");
    await writeFile(blocked, "");
    assert.equal(await codeOf(prepareSoftwareAdapter({ cacheRoot: blocked })), "SOFTWARE_ADAPTER_CACHE");
    // No permission bit stops root, but nobody can make a directory in /proc.
    assert.equal(
      await codeOf(prepareSoftwareAdapter({ cacheRoot: "/proc/parhelion" })),
      "SOFTWARE_ADAPTER_CACHE",
    );
  });

  it("falls back to the temporary directory when the home directory cannot be written", {
    timeout: 300_000,
  }, async () => {
    const temporary = freshRoot();
    await mkdir(temporary);
    const environment = { XDG_CACHE_HOME: "/proc", TMPDIR: temporary };
    const { directory, origin } = await prepareSoftwareAdapter({ environment });
    assert.equal(origin, "unpacked");
    assert.ok(directory.startsWith(join(temporary, "parhelion-")), directory);
  });

  it("names an archive that cannot be unpacked", async () => {
    const path = join(scratch, "damaged.tar.br");
    await writeFile(path, "not brotli at all");
    const archive = { path, version: "1.2.3" };
    const cacheRoot = freshRoot();
    assert.equal(await codeOf(prepareSoftwareAdapter({ cacheRoot, archive })), "SOFTWARE_ADAPTER_ARCHIVE");
    assert.deepEqual(await readdir(join(cacheRoot, "swiftshader-1.2.3")), []);
  });

  it("refuses a platform that the package carries nothing for", async () => {
    assert.equal(
      await codeOf(prepareSoftwareAdapter({ platform: "linux-arm64" })),
      "SOFTWARE_ADAPTER_PLATFORM",
    );
  });
});
