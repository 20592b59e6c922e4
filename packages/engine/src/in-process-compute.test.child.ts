/** Dawn finds a software adapter only where the dynamic linker was told about it before the process began. */
import { create } from "webgpu";
import { computeSquares } from "./compute.test.support.js";
import { createInProcessEngine } from "./in-process.js";
import { plainDevice, Script } from "./script.test.support.js";

const gpu = create([]);
const engine = createInProcessEngine({ gpu });
const { port } = await engine.open(plainDevice);
const squares = await computeSquares(new Script(port), 300);
await engine.close();
process.send?.([...squares]);
