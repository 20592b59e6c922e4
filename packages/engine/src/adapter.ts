/**
 * The one adapter that this engine serves. Dawn consumes an adapter object with the device made from it, so each device
 * asks for a fresh one; all of them are the same GPU because Dawn's switches and the options stay the same.
 */
import type { AdapterDescription, DeviceRequest } from "parhelion-protocol";
import { Refusal } from "./refusal.js";

export interface AdapterChoice {
  /** Its owner keeps it alive as long as the process lives: Dawn crashes when it is collected. */
  readonly gpu: GPU;
  readonly forceFallback: boolean;
}

/** @throws Refusal `no-adapter` */
export async function requestAdapter({ gpu, forceFallback }: AdapterChoice): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ forceFallbackAdapter: forceFallback });
  if (adapter !== null) return adapter;
  throw new Refusal(
    "no-adapter",
    `Dawn found no ${forceFallback ? "fallback " : ""}adapter. Install a Vulkan driver (vulkaninfo lists them), or use the software adapter.`,
  );
}

export async function describeAdapter(choice: AdapterChoice): Promise<AdapterDescription> {
  const { info, features, limits } = await requestAdapter(choice);
  return {
    info: {
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      // The specification's bounds where an adapter does not say.
      subgroupMinSize: info.subgroupMinSize ?? 4,
      subgroupMaxSize: info.subgroupMaxSize ?? 128,
      isFallbackAdapter: info.isFallbackAdapter,
    },
    features: [...features],
    limits: limitsAsJson(limits),
    wgslLanguageFeatures: [...choice.gpu.wgslLanguageFeatures],
  };
}

/** @throws Refusal with the exception's name that the specification prescribes */
export async function requestDevice(choice: AdapterChoice, request: DeviceRequest): Promise<GPUDevice> {
  const adapter = await requestAdapter(choice);
  try {
    return await adapter.requestDevice({
      label: request.label,
      // Dawn's binding knows the names; one it does not know is the TypeError that the specification wants.
      requiredFeatures: request.requiredFeatures as readonly GPUFeatureName[],
      requiredLimits: { ...request.requiredLimits },
      defaultQueue: { label: request.defaultQueueLabel },
    });
  } catch (error) {
    const { name, message } = error as Error;
    throw new Refusal("dawn", message.trimEnd(), name === "TypeError" ? "TypeError" : "OperationError");
  }
}

export function limitsAsJson(limits: GPUSupportedLimits): Record<string, number> {
  const result: Record<string, number> = {};
  // The limits are getters of the prototype: neither spreading nor JSON sees them.
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits];
    // Some drivers say 2^64 - 1 where they have no limit, which is not a number that JSON carries exactly.
    if (typeof value === "number") result[name] = Math.min(value, Number.MAX_SAFE_INTEGER);
  }
  return result;
}
