// Records a protocol: `node packages/protocol/golden/record.mjs webgpu-2` (the command stream) or `messages-2` (the control
// messages), after a build. A recording is never written twice: what has been released stays in the tests as it is.
import { writeFileSync } from "node:fs";
import { loadModel } from "../idl/generate.mjs";
import * as schema from "../idl/messages.schema.mjs";

const fixture = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
const recorders = {
  webgpu: async () => (await fixture("webgpu/golden.test.fixture.js")).recordGolden(loadModel()),
  messages: async () => (await fixture("messages/golden.test.fixture.js")).recordMessages(schema),
};

const name = process.argv[2];
const record = recorders[/^(webgpu|messages)-\d+$/.exec(name ?? "")?.[1]];
if (record === undefined) throw new Error("name the recording: webgpu-1, messages-1, …");
const recorded = JSON.stringify(await record(), null, 1);
writeFileSync(new URL(`${name}.golden.json`, import.meta.url), `${recorded}\n`, { flag: "wx" });
