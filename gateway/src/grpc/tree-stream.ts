/** `Coordination.GetTree`: a subtree at one zxid, page after page, no faster than the client reads. */
import { limits, type TreeEntry } from "@quorate/api";
import { publicServices, type v1 } from "@quorate/proto";
import type { TreePages } from "../backend.ts";
import { actingOf, type Call, freshnessOf, headerOf, succeeded } from "./call.ts";
import { expectResult, statOf } from "./encode.ts";
import { bad, GrpcFault, stoppingFault } from "./faults.ts";
import type { Outlet } from "./outlet.ts";
import { decodeRequest } from "./unary.ts";
import { pathOf } from "./values.ts";

/** The wait for a slow reader, which ends with the call too. */
interface Stalled {
  giveUp: (() => void) | undefined;
}

/** Throws what refuses it at once; what goes wrong later is given to `fail`. */
export function streamTree(call: Call, bytes: Buffer, outlet: Outlet, fail: (error: unknown) => void): void {
  const request = decodeRequest(publicServices().methods.Coordination.GetTree, bytes);
  const path = pathOf(request.path, "path");
  const { depth, withData = false, options } = request;
  if (depth !== undefined && (depth < 0 || depth > limits.treeDepth)) {
    throw bad("depth", `${depth} is outside 0, which is the znode itself, to ${limits.treeDepth}`);
  }
  const acting = actingOf(call, options?.sessionId, "options.session_id");
  const freshness = freshnessOf(options, "options");
  const { door } = call;
  const pages = door.options.backend.listTree({
    identity: call.identity,
    path,
    withData,
    ...freshness,
    ...(acting === undefined ? undefined : { acting }),
    ...(depth === undefined ? undefined : { depth }),
  });
  const stalled: Stalled = { giveUp: undefined };
  const stoppable = { stop: () => outlet.end(stoppingFault()) };
  door.inFlight++;
  door.streams.add(stoppable);
  outlet.onGone(() => {
    pages.close();
    stalled.giveUp?.();
    door.inFlight--;
    door.streams.delete(stoppable);
  });
  sendPages(call, pages, freshness.consistency, outlet, stalled).catch(fail);
}

async function sendPages(
  call: Call,
  pages: TreePages,
  consistency: Parameters<typeof headerOf>[1],
  outlet: Outlet,
  stalled: Stalled,
): Promise<void> {
  let count = 0;
  for (let more = true; more && !outlet.over; ) {
    const answer = succeeded(await pages.next(call.deadlineMillis));
    const page = expectResult(answer.outcome.result, "treePage");
    count += page.entries.length;
    more = page.more;
    const header = { ...headerOf(answer, consistency), zxid: page.at };
    if (page.entries.length === 0 && more) continue;
    const nodes = page.entries.map(nodeOf);
    send(outlet, more ? { header, nodes } : { header, nodes, end: true, count });
    if (more) await readBy(call, outlet, stalled);
  }
  outlet.end();
}

function send(outlet: Outlet, message: v1.GetTreeResponse): void {
  outlet.send(publicServices().methods.Coordination.GetTree.encodeResponse(message));
}

function nodeOf({ path, stat, data }: TreeEntry): v1.TreeNode {
  return { path, stat: statOf(stat), data };
}

/** Until there is room, or nobody any more; who reads nothing for too long is cut off: the replica keeps the zxid for him. */
function readBy(call: Call, outlet: Outlet, stalled: Stalled): Promise<void> {
  const { treeQueuedBytes, treeStallMillis } = call.door.limits;
  return new Promise((resolve) => {
    const timer = call.door.options.world.after(treeStallMillis, () => {
      const detail = `nothing was read for ${treeStallMillis} ms; begin again, and read faster`;
      outlet.end(new GrpcFault("throttled", detail));
    });
    stalled.giveUp = () => {
      timer.cancel();
      resolve();
    };
    outlet.whenBelow(treeQueuedBytes, stalled.giveUp);
  });
}
