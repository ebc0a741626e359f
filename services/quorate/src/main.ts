#!/usr/bin/env node
/**
 * The executable. What Node makes of the sources is kept for the next start (a third of the time), so the commands are
 * loaded after that is arranged.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";

enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/quorate"));

process.on("uncaughtException", (error) => {
  console.error(`stops: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
});

// Started by `quorate dev`, whose end is ours.
if (process.channel) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));

try {
  const { main } = await import("./commands.ts");
  await main();
} catch (error) {
  console.error(`quorate: ${error instanceof Error ? error.message : String(error)}`);
  // 2: what it was given is wrong, and trying again is no use.
  process.exit(error instanceof Error && error.name === "SettingsError" ? 2 : 1);
}
