/** Locks and elections over REST together with Curator's InterProcessMutex, InterProcessReadWriteLock and LeaderLatch. */
import { makeReady } from "../polyglot/make-ready.ts";
import { javaClients } from "./foreign-kits.ts";
import { describeTogether } from "./locks-together.ts";

describeTogether({
  name: "Curator",
  layout: "curator",
  otherLayout: "kazoo",
  ready: () => makeReady(javaClients),
  args: ["-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "clients.LockTalk"],
});
