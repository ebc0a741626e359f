/** The whole tree as the superuser sees it, and how it is emptied. */
import type { WireClient } from "../wire-client.ts";
import type { WireAcl, WireStat } from "../wire-records.ts";

export interface SeenNode {
  readonly path: string;
  readonly data: Buffer | null;
  readonly stat: WireStat;
  readonly acl: readonly WireAcl[];
  readonly children: readonly string[];
}

/** What every server has, and nobody can delete. */
const lasting: ReadonlySet<string> = new Set(["/", "/zookeeper", "/zookeeper/config", "/zookeeper/quota"]);

/** What it holds is each server's own (see the differences); that it is there, and its list of rights, is not. */
export function withoutConfig(nodes: readonly SeenNode[]): SeenNode[] {
  const [root] = nodes;
  return nodes.map((each) =>
    each.path === "/zookeeper/config" && root ? { ...each, data: root.data, stat: root.stat } : each,
  );
}

/** Parents before their children, by path. */
export async function walk(client: WireClient): Promise<SeenNode[]> {
  const seen: SeenNode[] = [];
  const visit = async (path: string): Promise<void> => {
    const [data, acl, list] = await Promise.all([
      client.send({ op: "getData", path, watch: false }),
      client.send({ op: "getAcl", path }),
      client.send({ op: "getChildren2", path, watch: false }),
    ]);
    if (!data.result || !acl.result || !list.result) return;
    const children = [...list.result.children].sort();
    seen.push({ path, ...data.result, acl: acl.result.acl, children });
    for (const each of children) await visit(`${path === "/" ? "" : path}/${each}`);
  };
  await visit("/");
  return seen;
}

/** Everything but what cannot be deleted. A container may go by itself meanwhile. */
export async function empty(client: WireClient, nodes: readonly SeenNode[]): Promise<void> {
  const paths = nodes.map(({ path }) => path).filter((path) => !lasting.has(path));
  const replies = paths.reverse().map((path) => client.send({ op: "delete", path, version: -1 }));
  await Promise.all(replies);
}
