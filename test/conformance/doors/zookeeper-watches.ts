/**
 * States by multiRead, which is of one zxid; what happened behind a zxid by setWatches2 of persistent watches, as a client asks that
 * comes back. Of children a recursive watch tells.
 */
import type { WireClient } from "../../zookeeper/wire-client.ts";
import type { WireEvent } from "../../zookeeper/wire-records.ts";
import { type Answer, type Asked, type Event, type State, shown } from "./door.ts";
import { badOf, good, hexOf, NotAskable, send, statOf } from "./zookeeper-values.ts";

type Watch = Extract<Asked, { readonly op: "watch" }>;

const noNode = -101;
const patienceMillis = 60_000;

export async function askStates(client: WireClient, asked: Watch): Promise<Answer> {
  const { nodes = [], children = [], terms } = asked;
  if (terms.consistency !== undefined) throw new NotAskable("a multi has no consistency");
  await send(client, { op: "sync", path: "/" });
  const operations = [
    ...nodes.map((path) => ({ op: "getData", path, watch: false }) as const),
    ...children.map((path) => ({ op: "getChildren", path, watch: false }) as const),
  ];
  const { zxid, result } = await send(client, { op: "multiRead", operations });
  const states: State[] = [];
  for (const [i, each] of result.results.entries()) {
    const path = operations[i]?.path ?? "";
    const scope = i < nodes.length ? "node" : "children";
    if (each.op === "error" && each.code !== noNode) return badOf(each.code, "multiRead", path);
    if (each.op === "getData") {
      states.push({ scope, path, exists: true, stat: statOf(each.stat), data: shown(each.data ?? Buffer.alloc(0)) });
    } else if (each.op === "getChildren") states.push({ scope, path, exists: true, names: each.children });
    else states.push({ scope, path, exists: false, ...(scope === "children" ? { names: [] } : {}) });
  }
  return { ...good(zxid), states, cursor: hexOf(zxid) };
}

const types: Readonly<Record<number, Event["type"]>> = { 1: "created", 2: "deleted", 3: "changed" };

type Told = Pick<Event, "type" | "path" | "zxid">;

export async function askEvents(client: WireClient, asked: Watch, after: string): Promise<Answer> {
  const { nodes = [], children = [], subtrees = [], events: wanted = 0 } = asked;
  if (after.includes(".")) throw new NotAskable("a place is a zxid, which is of no history");
  const isIn = (path: string, type: Told["type"]): boolean =>
    nodes.includes(path) ||
    (type !== "changed" && children.some((each) => each === parentOf(path))) ||
    subtrees.some((each) => path === each || path.startsWith(`${each}/`));
  const toldOf = ({ type: number, path, zxid }: WireEvent): Told[] => {
    const type = types[number];
    return type !== undefined && isIn(path, type) ? [{ type, path, zxid: hexOf(zxid) }] : [];
  };
  const told = (): Told[] => client.events.flatMap(toldOf);
  const recursive = [...new Set([...children, ...subtrees])];
  const { zxid } = await send(client, {
    op: "setWatches2",
    relativeZxid: BigInt(after),
    ...{ data: [], exist: [], child: [], persistent: nodes, persistentRecursive: recursive },
  });
  await client.until(() => told().length >= wanted, patienceMillis);
  const cursor = [hexOf(zxid), ...told().map((each) => each.zxid)].toSorted().at(-1) ?? "";
  // Neither version nor czxid nor time: an event has its type, its path, and the zxid of its header.
  return { ...good(zxid), events: told() as Event[], cursor };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}
