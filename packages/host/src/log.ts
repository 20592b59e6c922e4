/**
 * Where log records go: one JSON object a line on stderr. The rest of the host logs through its runtime, by event name
 * and fields, and does not know pino.
 */
import type { LogLevel, LogSink } from "parhelion-core";
import { destination, pino } from "pino";

export interface PinoSinkOptions {
  /** Records below are dropped. Default "warn": a host that does well says nothing. */
  readonly level?: LogLevel | "silent";
  /** Default: stderr. Lines end with a newline. */
  readonly write?: (line: string) => void;
}

export function createPinoSink(options: PinoSinkOptions = {}): LogSink {
  const { write } = options;
  // Synchronous: a host that is killed has said what it had to say.
  const stream = write === undefined ? destination({ fd: 2, sync: true }) : { write };
  const logger = pino(
    {
      level: options.level ?? "warn",
      base: { pid: process.pid },
      messageKey: "event",
      formatters: { level: (label) => ({ level: label }) },
      // A credential in a log outlives the guest that it was made for.
      redact: { paths: ["credential", "token", "*.credential", "*.token"], censor: "[secret]" },
      serializers: { error: pino.stdSerializers.err },
    },
    stream,
  );
  return (record) => logger[record.level](record.fields, record.event);
}
