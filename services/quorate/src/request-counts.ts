/** What a gateway answered, by operation and status, in Prometheus' text form. */
import type { ZookeeperServer } from "@quorate/gateway";

export class RequestCounts {
  readonly #counts = new Map<string, { count: number; millis: number }>();

  observe(operation: string, status: number, millis: number): void {
    const labels = `operation="${operation}",status="${status}"`;
    const entry = this.#counts.get(labels);
    if (entry) {
      entry.count++;
      entry.millis += millis;
    } else this.#counts.set(labels, { count: 1, millis });
  }

  /** With those of ZooKeeper's door, which counts by itself, with ZooKeeper's codes. */
  format(zookeeper: Pick<ZookeeperServer, "counts" | "connections"> | undefined): string {
    const all: [string, { readonly count: number; readonly millis: number }][] = [...this.#counts];
    for (const { op, all: entries } of zookeeper?.counts ?? []) {
      for (const entry of entries) all.push([`operation="zookeeper.${op}",status="${entry.code}"`, entry]);
    }
    const lines = ["# HELP quorate_requests_total requests answered", "# TYPE quorate_requests_total counter"];
    for (const [labels, { count }] of all) lines.push(`quorate_requests_total{${labels}} ${count}`);
    lines.push("# HELP quorate_request_ms_total time until the answer, ms", "# TYPE quorate_request_ms_total counter");
    for (const [labels, { millis }] of all) lines.push(`quorate_request_ms_total{${labels}} ${Math.round(millis)}`);
    if (zookeeper !== undefined) {
      lines.push("# HELP quorate_zookeeper_connections open connections of ZooKeeper's clients");
      lines.push("# TYPE quorate_zookeeper_connections gauge");
      lines.push(`quorate_zookeeper_connections ${zookeeper.connections}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
