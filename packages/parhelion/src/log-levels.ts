export const LOG_LEVELS = ["silent", "error", "warn", "info", "debug"] as const;
export type ChosenLogLevel = (typeof LOG_LEVELS)[number];
