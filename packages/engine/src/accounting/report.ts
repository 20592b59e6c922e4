/** Tells the host what a slice uses: soon after it has changed, at most every 100 ms. */
import type { Clock, EngineMemory } from "parhelion-protocol";
import type { SliceLedger } from "./ledger.js";

const REPORT_MS = 100;

export function reportMemory(
  ledger: SliceLedger,
  clock: Clock,
  report: (memory: EngineMemory) => void,
): void {
  let state: "quiet" | "planned" = "quiet";
  let last = ledger.memory;
  const tell = () => {
    state = "quiet";
    const { memory } = ledger;
    const { used, peak, refused } = memory;
    if (used === last.used && peak === last.peak && refused === last.refused) return;
    last = memory;
    report(memory);
  };
  ledger.onChange = () => {
    if (state === "planned") return;
    state = "planned";
    clock.setTimer(REPORT_MS, tell);
  };
}
