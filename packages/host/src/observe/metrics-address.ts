/** Where metrics are served: on this machine alone, unless somebody says in so many words that he wants others to read them. */
import { BlockList, isIP } from "node:net";
import { HostError } from "../host-error.js";

export interface MetricsAddress {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free port, told by `Host.metricsAddress`. */
  readonly port: number;
  /** Default "loopback": another address is refused. Metrics name guests and their programs' load, and ask for no password. */
  readonly reach?: "loopback" | "anywhere";
}

/** @throws HostError metrics-exposed */
export function checkReach({ host = "127.0.0.1", reach = "loopback" }: MetricsAddress): void {
  if (reach === "anywhere" || isLoopback(host)) return;
  throw new HostError(
    "metrics-exposed",
    `${host} can be reached from other machines, and metrics ask for no password.`,
    {
      details: { host },
      remedy: "Serve them on 127.0.0.1, or say that you want this with --metrics-anywhere.",
    },
  );
}

/** An address that is this machine whatever a name server says. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const family = isIP(host);
  if (family === 0) return false;
  const loopback = new BlockList();
  loopback.addSubnet("127.0.0.0", 8, "ipv4");
  loopback.addAddress("::1", "ipv6");
  return loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}
