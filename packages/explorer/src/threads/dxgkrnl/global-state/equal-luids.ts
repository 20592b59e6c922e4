/** D1.8: two functions whose GUIDs begin with the same 8 bytes, as after cloning a machine. */
import { Mutex } from "parhelion-core";
import type { Program } from "../../../program.js";
import type { Dispute } from "../../dispute.js";
import { define } from "../parts/define.js";

type Pairing = "by LUID" | "by LUID, a second one is refused" | "by the whole GUID";

interface Adapter {
  readonly instance: string;
  readonly luid: string;
  readonly paired: { with: string };
}

function luidOf(guid: string): string {
  return guid.slice(0, 16);
}

/** Alike in the first 8 bytes. */
const guids = ["00112233445566770000000000000001", "00112233445566770000000000000002"];

function program(pairing: Pairing): Program {
  return define({
    name: `two functions with one LUID, paired ${pairing}`,
    setup(world) {
      const lock = new Mutex(world.runtime, "device_mutex");
      const offered = world.track("vgpu_ch_list", { channels: [] as readonly string[] });
      const keyOf = pairing === "by the whole GUID" ? (guid: string) => guid : luidOf;
      const adapters: Adapter[] = [];
      for (const [i, instance] of guids.entries()) {
        const luid = luidOf(instance);
        if (pairing === "by LUID, a second one is refused" && adapters.some((other) => other.luid === luid))
          continue;
        adapters.push({ instance, luid, paired: world.track(`F${i + 1}`, { with: "" }) });
      }
      for (const [i, guid] of guids.entries()) {
        world.task(`host offers channel ${i + 1}`, () =>
          lock.withLock(() => {
            const { channels } = offered;
            const isSecond = channels.some((other) => keyOf(other) === keyOf(guid));
            if (pairing === "by LUID, a second one is refused" && isSecond) return;
            offered.channels = [...channels, guid];
            for (const { instance, paired } of adapters) {
              if (paired.with !== "") continue;
              paired.with = offered.channels.find((other) => keyOf(other) === keyOf(instance)) ?? "";
            }
          }),
        );
      }
      return adapters;
    },
    async after(adapters, world) {
      for (const [i, { instance, paired }] of adapters.entries())
        world.expect(
          paired.with === instance,
          `F${i + 1} has the channel ${paired.with}, its own is ${instance}`,
        );
    },
  });
}

export const equalLuids: Dispute = {
  id: "D1.8",
  thread: "dxgkrnl",
  title: "Functions and channels are paired by a LUID",
  argued:
    "The first 8 bytes of a GUID serve as LUID, and functions find their channels by it. Asked on the list: " +
    "what is a LUID, and what about cloned machines?",
  found:
    "With two equal LUIDs one function gets the other's channel in every order. Refusing the second of two " +
    "equal ones is no cure: when the refused function's channel is offered first, the accepted function takes " +
    "it. Only the whole GUID pairs right.",
  variants: [
    { name: "as posted: by LUID", program: program("by LUID"), expected: "unsafe", finds: "expectation" },
    {
      name: "by LUID, a second equal one is refused",
      program: program("by LUID, a second one is refused"),
      expected: "unsafe",
      finds: "expectation",
    },
    { name: "by the whole instance GUID", program: program("by the whole GUID"), expected: "safe" },
  ],
};
