// Records how messages are framed between guest and host: `node packages/buses/golden/record.mjs frames-2`, after a build. A
// recording is never written twice: what has been released stays in the tests as it is.
import { writeFileSync } from "node:fs";

const { recordFrames } = await import(new URL("../dist/vmbus/golden.test.fixture.js", import.meta.url).href);
const name = process.argv[2];
if (!/^frames-\d+$/.test(name ?? "")) throw new Error("name the recording: frames-1, frames-2, …");
const recorded = JSON.stringify(recordFrames(), null, 1);
writeFileSync(new URL(`${name}.golden.json`, import.meta.url), `${recorded}\n`, { flag: "wx" });
