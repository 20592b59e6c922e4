/** What of the host's environment an engine gets: what Node, the Vulkan loader and the drivers look at. No secret of anybody's. */

const names: ReadonlySet<string> = new Set([
  "PATH",
  "HOME",
  "LANG",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "XDG_CACHE_HOME",
  "XDG_CONFIG_HOME",
  "XDG_CONFIG_DIRS",
  "XDG_DATA_HOME",
  "XDG_DATA_DIRS",
  "NODE_V8_COVERAGE",
  "CUDA_VISIBLE_DEVICES",
]);

/** Vulkan's loader and layers, Mesa and its drivers, NVIDIA's, AMD's, Dawn's; and our own, none of which is a secret. */
const drivers =
  /^(VK|MESA|LIBGL|GALLIUM|RADV|ANV|INTEL|NVK|NOUVEAU|ZINK|LP|DRI|AMD|ROC|HSA|GPU|NVIDIA|__NV|__GLX|__GL|__EGL|__VK|DAWN|TINT|LC|PARHELION)_/;

/** Caches on disk would be shared by all slices, and are not writable for an engine anyway. */
const withoutCaches = { MESA_SHADER_CACHE_DISABLE: "true", __GL_SHADER_DISK_CACHE: "0" } as const;

export function engineEnvironment(host: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(host).filter(([name]) => names.has(name) || drivers.test(name));
  return { ...Object.fromEntries(kept), ...withoutCaches };
}
