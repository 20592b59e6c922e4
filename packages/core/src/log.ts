/** One record per event: a stable event name and fields, never a sentence to parse. The sink is injected. */
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface LogRecord {
  readonly level: LogLevel;
  /** Dotted and stable, for example `probe.failed`. */
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type LogSink = (record: LogRecord) => void;
