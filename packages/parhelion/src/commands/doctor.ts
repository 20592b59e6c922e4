/** `parhelion doctor`: names the first broken hop and what to do about it. */
import type { AdapterWish } from "parhelion-host";
import type { Hop } from "../doctor/hop.js";
import { walk } from "../doctor/walk.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";

export interface DoctorCommand {
  readonly state?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** A software GPU on a loaded machine needs some seconds to start; a minute without an answer is a hang. */
const PROBE_MS = 60_000;

export async function doctorCommand(options: DoctorCommand, terminal: Terminal): Promise<number> {
  const hops: Hop[] = [];
  const end = untilAskedToEnd();
  const aborter = new AbortController();
  void end.signal.then(() => aborter.abort());
  const healthy = await walk({
    signal: aborter.signal,
    state: options.state,
    adapter: options.adapter as AdapterWish | undefined,
    environment: terminal.environment,
    probeMs: PROBE_MS,
    onHop: (hop) => {
      hops.push(hop);
      if (!options.json) terminal.out(describe(hop));
    },
  }).finally(() => end.dispose());
  if (options.json) terminal.out(JSON.stringify({ healthy, hops }, null, 2));
  else terminal.out(healthy ? "every hop works" : `broken: ${hops.at(-1)?.hop ?? "nothing was tried"}`);
  return healthy ? 0 : 1;
}

function describe(hop: Hop): string {
  const mark = hop.state === "ok" ? "ok    " : "BROKEN";
  const time = `${hop.milliseconds.toFixed(0)} ms`.padStart(8);
  const line = `${mark} ${hop.hop.padEnd(20)} ${time}  ${hop.detail}`;
  return hop.remedy === "" ? line : `${line}\n       → ${hop.remedy}`;
}
