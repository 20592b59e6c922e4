/** An engine that hangs in its start, and in its end. */
process.on("message", () => undefined);
process.on("SIGTERM", () => undefined);
setInterval(() => undefined, 1000);
