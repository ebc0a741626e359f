/** Who holds a lock or leads, looked up for a token that this gateway does not know: the queue is listed once. */
import { childOf, type Identity, type Path, zeroZxid } from "@quorate/api";
import { type Failed, isFailed, refuse } from "./answers.ts";
import type { Holder } from "./fence.ts";
import { recipeLimits } from "./limits.ts";
import { namesOf, notBefore, type Reader, readAllNames, readQueue, readStat } from "./look.ts";
import { foreignDetail, shownShape } from "./mark.ts";
import { ContenderQueue } from "./queue.ts";
import type { RecipeAnswer } from "./recipes.ts";

/** Stats that are read at a time. */
const together = 64;

/** `noNode`: there is no such lock; `nodeExists`: it is something else. */
export async function readHolders(
  backend: Reader,
  queue: Path,
  identity: Identity,
  deadlineMillis: number,
): Promise<RecipeAnswer<readonly Holder[]>> {
  let sight = await readQueue(backend, { identity }, queue, recipeLimits.namesOfQueue, deadlineMillis);
  if (!("kind" in sight) && sight.more) {
    sight = await readAllNames(backend, { identity, terms: notBefore(sight.zxid) }, queue, deadlineMillis);
  }
  if (isFailed(sight)) return sight;
  if ("kind" in sight) return refuse("noNode", `there is no lock ${queue}`, queue, sight.zxid);
  const { mark, children, zxid, servedBy } = sight;
  if (mark === "foreign") return refuse("nodeExists", foreignDetail(queue, "lock"), queue, zxid);
  const names = namesOf(children);
  const contenders = new ContenderQueue(shownShape("lock", mark, names), names);
  const first = contenders.list(0, contenders.holders).map(({ name }) => childOf(queue, name));
  const value: Holder[] = [];
  for (let i = 0; i < first.length; i += together) {
    const some = first.slice(i, i + together);
    const found = await Promise.all(some.map((znode) => readHolder(backend, znode, identity, deadlineMillis)));
    for (const each of found) {
      if (each === undefined) continue;
      if (isFailed(each)) return each;
      value.push(each);
    }
  }
  return { kind: "done", value, zxid, servedBy };
}

/** Undefined: it went meanwhile. Those behind it held nothing at the moment that was asked of. */
async function readHolder(
  backend: Reader,
  znode: Path,
  identity: Identity,
  deadlineMillis: number,
): Promise<Holder | undefined | Failed> {
  const found = await readStat(backend, { identity }, znode, deadlineMillis);
  if (!isFailed(found)) return found.stat === undefined ? undefined : { token: found.stat.czxid, znode };
  const isHidden = found.kind === "failed" && found.failure.code === "noAuth";
  return isHidden ? { token: zeroZxid, znode } : found;
}
