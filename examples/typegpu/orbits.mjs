// Moves planets around a sun with TypeGPU: typed structures in, typed structures out, and the layout in memory is
// the library's business. The same steps in plain JavaScript say how far off the GPU's arithmetic is.
//
//   node … typegpu/orbits.mjs [--steps 200] [--json]

import tgpu from "typegpu";
import * as d from "typegpu/data";
import { describeAdapter, readOptions, report, timed } from "../lib/program.mjs";

const COUNT = 256;
const STEP = 0.01;

const { values } = readOptions({ steps: { type: "string", default: "200" } });
const steps = Number(values.steps);

const Planet = d.struct({ position: d.vec3f, speed: d.f32, velocity: d.vec3f, turns: d.u32 });
const Settings = d.struct({ step: d.f32, count: d.u32 });

const layout = tgpu.bindGroupLayout({
  settings: { uniform: Settings },
  planets: { storage: d.arrayOf(Planet), access: "mutable" },
});

const move = tgpu.computeFn({ in: { id: d.builtin.globalInvocationId }, workgroupSize: [64] })`{
  if (in.id.x >= layout.$.settings.count) { return; }
  var planet = layout.$.planets[in.id.x];
  let distance = length(planet.position);
  let pull = planet.position / (distance * distance * distance);
  planet.velocity -= pull * layout.$.settings.step;
  let before = planet.position.y;
  planet.position += planet.velocity * layout.$.settings.step;
  planet.speed = length(planet.velocity);
  if (before < 0 && planet.position.y >= 0) { planet.turns += 1u; }
  layout.$.planets[in.id.x] = planet;
}`.$uses({ layout });

/** Planets on circles, each a little farther out and a little more tilted. */
const planets = Array.from({ length: COUNT }, (_, i) => {
  const radius = 0.5 + i / COUNT;
  const angle = i * 2.399963;
  const speed = 1 / Math.sqrt(radius);
  return {
    position: d.vec3f(radius * Math.cos(angle), radius * Math.sin(angle), 0),
    velocity: d.vec3f(-speed * Math.sin(angle), speed * Math.cos(angle), 0.1 * Math.sin(i)),
    speed,
    turns: 0,
  };
});

const onGpu = await timed(moveOnGpu);
const expected = moveInJavaScript();

let largest = 0;
let turns = 0;
for (const [i, planet] of onGpu.result.entries()) {
  for (const axis of ["x", "y", "z"]) {
    largest = Math.max(largest, Math.abs(planet.position[axis] - expected[i].position[axis]));
  }
  turns += planet.turns;
}

report(
  values,
  {
    program: "typegpu-orbits",
    adapter: await describeAdapter(),
    planets: COUNT,
    steps,
    turns,
    largestDifferenceToCpu: largest,
    tensors: { positions: onGpu.result.flatMap(({ position }) => [position.x, position.y, position.z]) },
    times: { totalMs: onGpu.ms },
  },
  (result) =>
    `${COUNT} planets, ${steps} steps in ${result.times.totalMs} ms: ${turns} turns completed, ` +
    `positions differ from plain JavaScript by at most ${largest.toExponential(1)}`,
);

async function moveOnGpu() {
  const root = await tgpu.init();
  const settings = root.createBuffer(Settings, { step: STEP, count: COUNT }).$usage("uniform");
  const buffer = root.createBuffer(d.arrayOf(Planet, COUNT), planets).$usage("storage");
  const group = root.createBindGroup(layout, { settings, planets: buffer });
  const pipeline = root.createComputePipeline({ compute: move }).with(group);
  for (let step = 0; step < steps; step++) {
    pipeline.dispatchWorkgroups(Math.ceil(COUNT / 64));
  }
  const moved = await buffer.read();
  root.destroy();
  return moved;
}

function moveInJavaScript() {
  return planets.map(({ position, velocity }) => {
    const at = { x: position.x, y: position.y, z: position.z };
    const moving = { x: velocity.x, y: velocity.y, z: velocity.z };
    for (let step = 0; step < steps; step++) {
      const distance = Math.hypot(at.x, at.y, at.z);
      for (const axis of ["x", "y", "z"]) {
        moving[axis] -= (at[axis] / distance ** 3) * STEP;
      }
      for (const axis of ["x", "y", "z"]) {
        at[axis] += moving[axis] * STEP;
      }
    }
    return { position: at };
  });
}
