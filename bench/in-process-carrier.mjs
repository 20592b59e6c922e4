// Preload: `navigator.gpu` is Parhelion's, its engine and Dawn live in this very process, joined by the in-process carrier. Shows what
// encoding and replaying cost without any second process.
import { createGPU, defineGlobals, processRuntime } from "parhelion-client";
import { createInProcessEngine } from "parhelion-engine";
import { create, globals } from "webgpu";

// Dawn's binding looks its classes up among the globals while it creates objects.
const dawn = create([]);
const engine = createInProcessEngine({ gpu: dawn });
const keep = { dawn, engine, globals };

const source = {
  async openAdapter(accept) {
    const description = await engine.describe();
    if (!accept(description)) return null;
    return { description, slice: null, createDevice: (request) => engine.open(request) };
  },
  whyNone: () => undefined,
  onAdaptersChanged: () => () => undefined,
  wgslLanguageFeatures: () => engine.wgslLanguageFeatures,
};
defineGlobals(globalThis, createGPU(source, processRuntime));
Object.defineProperty(globalThis, Symbol.for("parhelion.bench.keep"), { value: keep });
