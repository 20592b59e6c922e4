import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEngineLauncher } from "./launcher.js";
import { probeAdapter } from "./probe.js";

describe("probing for an adapter", { timeout: 300_000 }, () => {
  it("finds the software adapter", async () => {
    const result = await probeAdapter({ adapter: "software" });
    assert.ok(result.outcome === "found" && result.adapter.info.vendor === "google", JSON.stringify(result));
  });

  it("says why there is none", async () => {
    const nowhere = { VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" };
    const launcher = createEngineLauncher({ environment: { ...process.env, ...nowhere } });
    const result = await probeAdapter({ adapter: "hardware", launcher, dawn: ["backend=vulkan"] });
    assert.ok(result.outcome === "none" && /no adapter/.test(result.reason), JSON.stringify(result));
  });

  it("gives up on an engine that never answers, or is not there", async () => {
    const environmentFor = async () => ({ ...process.env });
    const silent = new URL("./silent.test.child.js", import.meta.url).pathname;
    const late = await probeAdapter({
      adapter: "hardware",
      launcher: { entry: silent, environmentFor },
      deadlineMs: 100,
    });
    assert.ok(late.outcome === "none" && /100 ms/.test(late.reason), JSON.stringify(late));
    const missing = await probeAdapter({
      adapter: "hardware",
      launcher: { entry: "/nowhere.js", environmentFor },
    });
    assert.ok(missing.outcome === "none" && /code 1/.test(missing.reason), JSON.stringify(missing));
  });
});
