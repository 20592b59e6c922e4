/**
 * A child that speaks the engine's IPC and does as its environment says, for what a real engine does only by accident:
 * dying at the wrong moment, silence, nonsense.
 */
import type { FromEngine, ToEngine } from "parhelion-protocol";

const behaviour = process.env["BEHAVIOUR"] ?? "good";

const created = { devices: new Set<number>(), waits: 0 };
/** As a real engine has one, for each queue. */
const maxWaits = 10;

const adapter = {
  info: {
    vendor: "scripted",
    architecture: "",
    device: "",
    description: "",
    subgroupMinSize: 4,
    subgroupMaxSize: 64,
    isFallbackAdapter: behaviour !== "hardware",
  },
  features: [],
  limits: {},
  wgslLanguageFeatures: [],
};

function say(message: FromEngine | { readonly op: "nonsense" }): void {
  process.send?.(message);
}

if (behaviour === "exit-at-once") {
  process.stderr.write("cannot find a driver\n", () => process.exit(3));
}

process.on("disconnect", () => process.exit(0));
process.on("message", (raw) => {
  const message = raw as ToEngine;
  switch (message.op) {
    case "start":
      if (behaviour === "silent" || behaviour === "exit-at-once") return;
      if (behaviour === "nonsense") return say({ op: "nonsense" });
      if (behaviour === "failed") return say({ op: "failed", message: "no adapter at all" });
      process.stdout.write("one line\nand a piece of another");
      say({ op: "ready", adapter, pausable: behaviour === "greedy" });
      if (behaviour === "greedy") say({ op: "wantTime" });
      return;
    case "createDevice":
      if (message.request.label === "silence") return;
      if (message.request.label === "die") {
        process.stderr.write("first words\nlast words\n", () => process.exit(7));
        return;
      }
      if (message.request.label === "no") {
        return say({
          op: "refused",
          id: message.id,
          refusal: { name: "TypeError", message: "not this one" },
        });
      }
      created.devices.add(message.device);
      if (message.request.label === "whose") {
        return say({
          op: "created",
          id: message.id,
          grant: { features: [], limits: { owner: message.owner } },
        });
      }
      return say({ op: "created", id: message.id, grant: { features: [], limits: { a: message.device } } });
    case "createQueue":
      return say({ op: "created", id: message.id });
    case "waitFence":
      if (message.value < 1000) return say({ op: "fence", id: message.id, value: message.value });
      if (++created.waits > maxWaits) {
        const refusal = { name: "OperationError", message: `${maxWaits} callers wait already` };
        return say({ op: "refused", id: message.id, refusal });
      }
      return;
    case "submit":
      // Every queue of this engine has been asked to do as much as its number says.
      return say({ op: "fence", id: message.id, value: 100 + message.queue });
    case "quota":
      return say({ op: "memory", used: 0, peak: message.quota.memoryBytes, refused: 0 });
    case "destroyDevice":
      created.devices.delete(message.device);
      return say({ op: "deviceLost", device: message.device, reason: "destroyed", message: "as asked" });
    case "stop":
      if (behaviour !== "stubborn") process.exit(0);
      return;
    case "statistics": {
      const statistics = {
        devices: created.devices.size,
        queues: 0,
        objects: 0,
        submits: 0,
        bytesReceived: 0,
        residentBytes: 1,
      };
      if (behaviour !== "deaf") say({ op: "statistics", id: message.id, statistics });
      return;
    }
    case "lease":
    case "recall":
    case "destroyQueue":
      return;
  }
});
