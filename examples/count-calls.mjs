// Tells on stderr which WebGPU calls a program made, how often, and how many bytes it wrote and read: the traffic
// that a projection has to carry. Load it after whatever provides navigator.gpu:
//
//   node --import ./examples/in-process.mjs --import ./examples/count-calls.mjs PROGRAM …

const calls = new Map();
const bytes = { writeBuffer: 0, writeTexture: 0, mappedAtCreation: 0, mapAsync: 0, shaderModules: 0 };

for (const name of Object.getOwnPropertyNames(globalThis).filter((name) => name.startsWith("GPU"))) {
  const prototype = globalThis[name]?.prototype;
  if (prototype === undefined) {
    continue;
  }
  for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (key === "constructor" || !property.configurable) {
      continue;
    }
    const native = property.value ?? property.get;
    if (typeof native !== "function") {
      continue;
    }
    const label = `${name}.${key}`;
    const counted = function (...args) {
      calls.set(label, (calls.get(label) ?? 0) + 1);
      measure(label, this, args);
      return native.apply(this, args);
    };
    const replacement = property.value === undefined ? { get: counted } : { value: counted };
    Object.defineProperty(prototype, key, { ...property, ...replacement });
  }
}

process.on("exit", () => {
  const sorted = [...calls].sort(([a, x], [b, y]) => y - x || a.localeCompare(b));
  const total = sorted.reduce((sum, [, count]) => sum + count, 0);
  process.stderr.write(`${total} calls\n`);
  for (const [label, count] of sorted) {
    process.stderr.write(`${String(count).padStart(8)}  ${label}\n`);
  }
  process.stderr.write(`bytes: ${JSON.stringify(bytes)}\n`);
});

function measure(label, self, args) {
  if (label === "GPUQueue.writeBuffer") {
    const [, , data, , size] = args;
    bytes.writeBuffer += size === undefined ? data.byteLength : size * (data.BYTES_PER_ELEMENT ?? 1);
  } else if (label === "GPUQueue.writeTexture") {
    bytes.writeTexture += args[1].byteLength;
  } else if (label === "GPUDevice.createBuffer" && args[0].mappedAtCreation) {
    bytes.mappedAtCreation += args[0].size;
  } else if (label === "GPUBuffer.mapAsync") {
    bytes.mapAsync += args[2] ?? self.size - (args[1] ?? 0);
  } else if (label === "GPUDevice.createShaderModule") {
    bytes.shaderModules += args[0].code.length;
  }
}
