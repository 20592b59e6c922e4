/** Which adapter this host projects: started once to see that it answers, and what it is. */
import type { AdapterDescription } from "parhelion-protocol";
import { type EngineChoice, engineChoice } from "../engines/launcher.js";
import type { EngineSpawner } from "../engines/spawn-engine.js";
import { HostError, messageOf } from "../host-error.js";
import { describeAdapter } from "../vgpu/adapter-query.js";

/**
 * "best": hardware if it answers, else software. "hardware", "software", "null": that kind alone. Anything else is a
 * part of a vendor's, device's or driver's name, in any case.
 */
export type AdapterWish = "best" | "hardware" | "software" | "null" | (string & {});

export interface ProbedAdapter {
  readonly choice: EngineChoice;
  readonly description: AdapterDescription;
}

interface Tried {
  readonly what: string;
  readonly why: string;
}

interface Candidate {
  readonly what: string;
  readonly choice: EngineChoice;
  /** Why the adapter that answered is not the one meant; undefined when it is. */
  readonly refuse: (description: AdapterDescription) => string | undefined;
}

/**
 * @param queuePath a free path for the probing engine's socket
 * @throws HostError no-adapter; the message and `details.tried` name every attempt and why it failed
 */
export async function probeAdapter(
  spawner: EngineSpawner,
  wish: AdapterWish,
  queuePath: string,
): Promise<ProbedAdapter> {
  const tried: Tried[] = [];
  for (const { what, choice, refuse } of candidates(wish)) {
    try {
      const description = await ask(spawner, choice, queuePath);
      const why = refuse(description);
      if (why === undefined) {
        spawner.options.runtime.log("info", "adapter.found", { what, adapter: describeAdapter(description) });
        return { choice, description };
      }
      tried.push({ what, why: `${describeAdapter(description)} ${why}` });
    } catch (error) {
      tried.push({ what, why: messageOf(error) });
    }
  }
  const list = tried.map(({ what, why }) => `${what}: ${why}`).join("; ");
  throw new HostError("no-adapter", `no usable adapter for "${wish}" (${list}).`, {
    details: { wish, tried },
    remedy: 'Install a Vulkan driver, or ask for "software" or "best".',
  });
}

function candidates(wish: AdapterWish): readonly Candidate[] {
  const hardware: Candidate = {
    what: "hardware",
    choice: engineChoice("hardware"),
    refuse: ({ info }) => (info.isFallbackAdapter ? "is a software adapter" : undefined),
  };
  const software: Candidate = {
    what: "software",
    choice: engineChoice("software"),
    refuse: () => undefined,
  };
  switch (wish) {
    case "best":
      return [hardware, software];
    case "hardware":
      return [hardware];
    case "software":
      return [software];
    case "null":
      return [{ what: "null", choice: engineChoice("null"), refuse: () => undefined }];
    default: {
      const refuse = nameRefusal(wish);
      return [
        { what: `hardware named "${wish}"`, choice: engineChoice("hardware", wish), refuse },
        { what: `software named "${wish}"`, choice: software.choice, refuse },
      ];
    }
  }
}

function nameRefusal(wish: string): Candidate["refuse"] {
  const part = wish.toLowerCase();
  return ({ info }) => {
    const names = [info.vendor, info.device, info.architecture, info.description];
    return names.some((name) => name.toLowerCase().includes(part)) ? undefined : "has another name";
  };
}

async function ask(
  spawner: EngineSpawner,
  choice: EngineChoice,
  queuePath: string,
): Promise<AdapterDescription> {
  const engine = await spawner.spawn({
    choice,
    queuePath,
    slice: "probe",
    onDeviceLost: () => undefined,
  });
  try {
    return await engine.whenReady();
  } finally {
    await engine.stop("the probe is over");
  }
}
