// What three.js expects of a browser even when it draws into a texture: a canvas to ask for its size and context,
// frames to schedule, a global `self`. Nothing is ever shown here, so nothing more is needed.

/** @returns {object} a canvas of that size, never presented */
export function createCanvas(width, height) {
  const context = {
    configure() {},
    unconfigure() {},
    getCurrentTexture() {
      throw new Error("this canvas is not shown anywhere: render into a render target");
    },
  };
  return {
    width,
    height,
    style: {},
    addEventListener() {},
    removeEventListener() {},
    getContext: (kind) => (kind === "webgpu" ? context : null),
  };
}

/** Installs the globals that a page would have. */
export function installPage() {
  globalThis.self ??= globalThis;
  globalThis.requestAnimationFrame ??= (callback) => setTimeout(() => callback(performance.now()), 16);
  globalThis.cancelAnimationFrame ??= clearTimeout;
}
