/**
 * The engine's process: one slice's work on Dawn. Started by the host with an IPC channel, it ends when that channel does. Standard
 * output and error are logs only: Dawn and the drivers print there whenever they like.
 */
import type { FromEngine } from "parhelion-protocol";
import { EngineProcess } from "./process.js";

if (process.send === undefined) {
  process.stderr.write(
    "parhelion-engine is started by the Parhelion host, with an IPC channel, not by hand\n",
  );
  process.exit(64);
}

const engine = new EngineProcess({
  send: (message: FromEngine, sent = () => undefined) => {
    // The channel can close between our decision to speak and this line; "disconnect" then ends the process.
    if (process.connected) process.send?.(message, undefined, undefined, sent);
    else sent();
  },
  log: (line) => process.stderr.write(`engine ${process.pid}: ${line}\n`),
  exit: (code) => process.exit(code),
  environment: process.env,
  processorMs: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  parent: () => process.ppid,
});

process.on("message", (message: unknown) => engine.receive(message));
process.on("disconnect", () => engine.stop());
process.on("exit", () => engine.cleanUp());
// The host decides when an engine ends: a terminal's Ctrl-C reaches the whole process group, and the host then stops us in order.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => engine.stop());
process.on("uncaughtException", (error) => engine.crash("uncaught exception", error));
process.on("unhandledRejection", (error) => engine.crash("unhandled rejection", error));
