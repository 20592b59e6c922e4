#!/usr/bin/env node
try {
  const { main } = await import("../dist/main.js");
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (error?.code !== "ERR_MODULE_NOT_FOUND") throw error;
  // Part of a checkout that was not built, or whose dependencies are not there.
  console.error(`parhelion: ${error.message.split("\n", 1)[0]}`);
  console.error("  run `npm ci`, then `npm run build`, in the checkout's root");
  process.exitCode = 1;
}
