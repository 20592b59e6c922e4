/** What of the environment is of no use inside: ways to networks, sockets and files that an isolated command has not. */
import type { IsolationLevel } from "./isolation.js";

/** Names of things outside that no level lets in; a program that trusts them fails late or complains. */
const USELESS = [
  // node would only say that it can't read the file.
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SSH_AUTH_SOCK",
  "DBUS_SESSION_BUS_ADDRESS",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
  "XDG_RUNTIME_DIR",
  "PARHELION_STATE",
  "PARHELION_GUEST_PID",
];
const proxy = /^(https?|ftp|all|no)_proxy$/i;
/** Directories of a home that is not visible. */
const home = /^XDG_(CACHE|CONFIG|DATA|STATE)_HOME$|^TMPDIR$/;

export function isolatedEnvironment(level: IsolationLevel, base: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (level === "none") return base;
  const kept = Object.entries(base).filter(([name]) => !USELESS.includes(name) && !proxy.test(name));
  if (level === "namespaces") return Object.fromEntries(kept);
  const environment = Object.fromEntries(kept.filter(([name]) => !home.test(name)));
  // The one directory that is always there and writable.
  return { ...environment, HOME: "/tmp" };
}
