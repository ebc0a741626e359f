/** Locks and elections over REST together with kazoo's Lock, ReadLock, WriteLock and Election. */
import { join } from "node:path";
import { makeReady } from "../polyglot/make-ready.ts";
import { kazoo } from "./foreign-kits.ts";
import { describeTogether } from "./locks-together.ts";

describeTogether({
  name: "kazoo",
  layout: "kazoo",
  otherLayout: "curator",
  ready: () => makeReady(kazoo),
  args: [join(import.meta.dirname, "python/lock_talk.py")],
});
