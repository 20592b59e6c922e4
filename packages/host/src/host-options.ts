/** What a host is started with. Only the launcher has no default. */
import type { LogLevel, LogSink, Runtime } from "parhelion-core";
import type { AdapterRequest } from "./adapters/adapters.js";
import type { HealthPolicy } from "./adapters/health-policy.js";
import type { AdapterWish } from "./adapters/probe.js";
import type { BootClock } from "./adapters/sleep-watch.js";
import type { BackOffPolicy } from "./engines/back-off.js";
import type { EngineDeadlines } from "./engines/engine-process.js";
import type { EngineLauncher } from "./engines/launcher.js";
import type { HostLimits } from "./limits.js";
import type { MetricsAddress } from "./observe/metrics-address.js";
import type { WallTime } from "./observe/wall-time.js";
import type { Secrets } from "./secrets.js";
import type { OpenLocalNode } from "./slices/local-nodes.js";

export interface TcpAddress {
  /** Default 127.0.0.1: what crosses a network in clear text is the administrator's decision. */
  readonly host?: string;
  /** 0: any free port, told by `Host.address`. */
  readonly port: number;
}

export interface HostOptions {
  readonly launcher: EngineLauncher;
  /** Default: $XDG_RUNTIME_DIR/parhelion, else /tmp/parhelion-<uid>. */
  readonly stateDirectory?: string;
  /**
   * "disk": guests and slices are kept in the state directory, and the next host there has them. "memory": they go when the host
   * stops, and so does all that it has put there. Default "disk".
   */
  readonly store?: "disk" | "memory";
  /** Begins with an empty store, whatever the one in the state directory holds or however damaged it is. */
  readonly forgetState?: boolean;
  /** How long the kernel of a guest that was created as "connected" may be away before it is removed, in ms. Default 60 000. */
  readonly orphanMs?: number;
  /** Default "best". */
  readonly adapter?: AdapterWish;
  /** adapter0, adapter1, …, where there are several or where their memory is said. Default: `adapter` alone. */
  readonly adapters?: readonly AdapterRequest[];
  /** Serves slices that are used on the host itself. Default: none can be. */
  readonly openLocalNode?: OpenLocalNode;
  /** Where guests on other machines connect. Default: nowhere. */
  readonly listen?: TcpAddress;
  /** Default: pino, one JSON object a line on stderr. */
  readonly log?: LogSink;
  /** Of the default log. Default "warn". */
  readonly logLevel?: LogLevel | "silent";
  readonly limits?: Partial<HostLimits>;
  readonly backOff?: Partial<BackOffPolicy>;
  readonly deadlines?: Partial<EngineDeadlines>;
  /** How long an orderly stop may take before everything left is killed, in ms. Default 10 000. */
  readonly stopMs?: number;
  /**
   * How long a virtual machine monitor may take to let go of a slice that is taken from it before it is cut off, in ms.
   * Default 2000.
   */
  readonly revokeMs?: number;
  /** Time, ids, chance; its log replaces `log`. */
  readonly runtime?: Runtime;
  readonly secrets?: Secrets;
  /** When an adapter is suspected, drained and healthy again. */
  readonly health?: Partial<HealthPolicy>;
  /** Time since the machine was booted, sleep included. Default: the machine's. */
  readonly bootClock?: BootClock;
  /** Where metrics are served for Prometheus. Default: nowhere. */
  readonly metrics?: MetricsAddress;
  /** What time it is for people, in events. Default: the machine's. */
  readonly wallTime?: WallTime;
}

export const defaultStopMs = 10_000;
export const defaultRevokeMs = 2_000;
export const defaultOrphanMs = 60_000;
