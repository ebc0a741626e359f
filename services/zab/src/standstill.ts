/**
 * A process that stood still has heard nobody, and nobody is to blame: what was said meanwhile still waits in its sockets, and
 * its write may be done. So the silence of others, and of its own disk, grows by a bounded step between two inputs (ticks come
 * every 20 ms). Only patience is measured so: the moments on which promises rest (when a ping was sent, when it was answered)
 * stay as they were.
 */
import type { Core, Millis } from "./core.ts";

export function excuseStandstill(core: Core): void {
  const { now, timing, leading, following } = core;
  const longest = timing.electionMillis / 4;
  const still = now - core.steppedAt - longest;
  core.steppedAt = now;
  if (still <= 0) return;
  const later = (at: Millis): Millis => Math.min(now, at + still);
  core.lookingSince = later(core.lookingSince);
  core.votesChangedAt = later(core.votesChangedAt);
  for (const link of core.links.values()) link.lastHeard = later(link.lastHeard);
  for (const write of core.writes) write.at = later(write.at);
  if (following) following.lastHeard = later(following.lastHeard);
  if (leading) {
    leading.startedAt = later(leading.startedAt);
    leading.quorumAt = later(leading.quorumAt);
  }
}
