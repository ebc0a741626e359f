/**
 * `/v1/tree/{path}`: a subtree at one zxid, as lines of JSON: `{zxid}`, one for each znode, `{end: true, count}`. Without
 * that last line it was cut off. A page is asked for while the one before it is written, and none while the client has not
 * read that.
 */
import { formatZxid, limits, type TreeEntry } from "@quorate/api";
import type { Answer, TreePages } from "../backend.ts";
import { refuseBody } from "./body.ts";
import { actingOf, type Call, freshnessOf, pathOf, timeoutOf } from "./call.ts";
import { bad } from "./fault.ts";
import { openBody, send, settle } from "./reply.ts";
import { dataJson, type Encoding, statJson } from "./stat-json.ts";
import { readInteger } from "./values.ts";
import { expectResult, forcedEncoding } from "./znodes.ts";

export const treeType = "application/x-ndjson";

export async function getTree(call: Call): Promise<void> {
  refuseBody(call);
  const path = pathOf(call);
  const text = call.query.text("depth");
  const depth = text === undefined ? undefined : readInteger(text, "depth", 0, limits.treeDepth);
  const withData = call.query.flag("data");
  const forced = forcedEncoding(call);
  if (forced !== undefined && !withData) throw bad("encoding: it goes with data=true alone");
  const timeout = timeoutOf(call);
  const acting = actingOf(call);
  const { identity, response } = call;
  // HEAD tells that it is there, and of which zxid it would be.
  const head = call.request.method === "HEAD";
  const levels = head ? 0 : depth;
  const pages = call.door.options.backend.listTree({
    identity,
    path,
    withData: withData && !head,
    ...freshnessOf(call.head),
    ...(levels === undefined ? undefined : { depth: levels }),
    ...(acting === undefined ? undefined : { acting }),
  });
  response.once("close", () => pages.close());
  const first = await pages.next(timeout);
  const settled = settle(call, first, true);
  if (settled === undefined) return;
  const { at } = expectResult(settled.outcome.result, "treePage");
  const served = { ...settled, zxid: at };
  if (head) return send(call, 200, served, "", ["Content-Type", treeType], true);
  openBody(call, served, ["Content-Type", treeType], true);
  const count = await writePages(call, pages, first, timeout, forced);
  if (count === undefined) response.destroy();
  else response.end(`{"end":true,"count":${count}}\n`);
}

/** How many znodes were written; undefined: not all of them. */
async function writePages(
  call: Call,
  pages: TreePages,
  first: Answer,
  timeout: number,
  forced: Encoding | undefined,
): Promise<number | undefined> {
  const { response } = call;
  let count = 0;
  let answer = first;
  for (;;) {
    if (answer.kind !== "outcome" || !answer.outcome.ok || response.destroyed) return undefined;
    const { at, entries, more } = expectResult(answer.outcome.result, "treePage");
    const next = more ? pages.next(timeout) : undefined;
    let text = count === 0 ? `{"zxid":"${formatZxid(at)}"}\n` : "";
    for (const each of entries) text += lineOf(each, forced);
    count += entries.length;
    if (!response.write(text) && !(await isRead(call))) return undefined;
    if (next === undefined) return count;
    answer = await next;
  }
}

function lineOf({ path, stat, data }: TreeEntry, forced: Encoding | undefined): string {
  const base = `{"path":${JSON.stringify(path)},"stat":${statJson(stat)}`;
  return data === undefined ? `${base}}\n` : `${base},${dataJson(data, forced)}}\n`;
}

/** True once the client has read what was written; false if it went away, or does not read. */
function isRead({ response, door }: Call): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (read: boolean): void => {
      timer.cancel();
      response.off("drain", onDrain);
      response.off("close", onClose);
      resolve(read);
    };
    const onDrain = (): void => done(true);
    const onClose = (): void => done(false);
    const timer = door.options.world.after(door.limits.listingStallMillis, onClose);
    response.once("drain", onDrain);
    response.once("close", onClose);
  });
}
