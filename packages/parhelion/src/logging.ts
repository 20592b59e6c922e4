import type { LogLevel, LogSink } from "parhelion-core";
import { createPinoSink } from "parhelion-host";

export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type ChosenLogLevel = (typeof LOG_LEVELS)[number];

/** Structured lines on standard error; commands are quiet unless something is wrong. */
export function logAt(level: ChosenLogLevel): LogSink {
  if (level === "silent") return () => undefined;
  return createPinoSink({ level: level satisfies LogLevel });
}
