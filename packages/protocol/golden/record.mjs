// Records the streams of a protocol: `node packages/protocol/golden/record.mjs webgpu-2`, after a build. A recording is
// never written twice: what has been released stays in the tests as it is.
import { writeFileSync } from "node:fs";
import { loadModel } from "../idl/generate.mjs";

const { recordGolden } = await import(new URL("../dist/webgpu/golden.test.fixture.js", import.meta.url).href);
const name = process.argv[2];
if (!/^webgpu-\d+$/.test(name ?? "")) throw new Error("name the recording: webgpu-1, webgpu-2, …");
const recorded = JSON.stringify(recordGolden(loadModel()), null, 1);
writeFileSync(new URL(`${name}.golden.json`, import.meta.url), `${recorded}\n`, { flag: "wx" });
