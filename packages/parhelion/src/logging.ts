import type { LogLevel, LogSink } from "parhelion-core";
import { createPinoSink } from "parhelion-host";
import type { ChosenLogLevel } from "./log-levels.js";

/** Structured lines on standard error; commands are quiet unless something is wrong. */
export function logAt(level: ChosenLogLevel): LogSink {
  if (level === "silent") return () => undefined;
  return createPinoSink({ level: level satisfies LogLevel });
}
