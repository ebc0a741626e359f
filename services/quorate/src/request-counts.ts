/** What a gateway answered, by operation and status, and what its doors hold at the moment, in Prometheus' text form. */
import { type DoorName, doorNames, type SocketBudget, type ZookeeperServer } from "@quorate/gateway";

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
  format(zookeeper: Pick<ZookeeperServer, "counts"> | undefined): string {
    const all: [string, { readonly count: number; readonly millis: number }][] = [...this.#counts];
    for (const { op, all: entries } of zookeeper?.counts ?? []) {
      for (const entry of entries) all.push([`operation="zookeeper.${op}",status="${entry.code}"`, entry]);
    }
    const counts = all.map(([labels, { count }]): Sample => [labels, count]);
    const millis = all.map(([labels, each]): Sample => [labels, Math.round(each.millis)]);
    return [
      ...family("requests_total", "counter", "requests answered", counts),
      ...family("request_ms_total", "counter", "time until the answer, ms", millis),
      "",
    ].join("\n");
  }
}

type Sample = readonly [labels: string, value: number];

function family(name: string, type: "counter" | "gauge", help: string, samples: readonly Sample[]): string[] {
  const lines = samples.map(([labels, value]) => `quorate_${name}${labels === "" ? "" : `{${labels}}`} ${value}`);
  return [`# HELP quorate_${name} ${help}`, `# TYPE quorate_${name} ${type}`, ...lines];
}

/** Connections of all doors, the process's files, and what ZooKeeper's clients have under way. */
export function formatDoors(
  sockets: SocketBudget,
  files: { readonly open: number; readonly most: number },
  zookeeper: Pick<ZookeeperServer, "figures"> | undefined,
): string {
  const figures = zookeeper?.figures();
  const doors = doorNames.filter((door) => door !== "zookeeper" || figures !== undefined);
  const refusedBy = (door: DoorName): number =>
    door === "zookeeper" && figures !== undefined ? figures.refused : sockets.of(door).refused;
  const connections = doors.map((door): Sample => [`door="${door}"`, sockets.of(door).connections]);
  const refused = doors.map((door): Sample => [`door="${door}"`, refusedBy(door)]);
  const lines = [
    ...family("connections", "gauge", "open connections of clients", connections),
    ...family("connections_refused_total", "counter", "connections refused because there were too many", refused),
  ];
  const gauge = (name: string, help: string, value: number): void =>
    void lines.push(...family(name, "gauge", help, [["", value]]));
  if (files.open >= 0) gauge("open_files", "open files and sockets of the process", files.open);
  if (files.most >= 0) gauge("open_files_limit", "how many it may have", files.most);
  if (figures !== undefined) {
    gauge("zookeeper_watches", "watches of ZooKeeper's clients", figures.watches);
    gauge("zookeeper_requests_outstanding", "requests of theirs that are not answered yet", figures.outstanding);
    gauge("zookeeper_unsent_bytes", "what they have not read of their answers and events", figures.unsentBytes);
    const packets = "frames and four-letter words";
    const counter = (name: string, help: string, value: number): void =>
      void lines.push(...family(name, "counter", help, [["", value]]));
    counter("zookeeper_packets_received_total", `${packets} of ZooKeeper's clients`, figures.received);
    counter("zookeeper_packets_sent_total", "replies and events to them", figures.sent);
    const failed: Sample = ["", figures.failedAuths];
    lines.push(...family("zookeeper_auth_failed_total", "counter", "proofs of identity refused", [failed]));
  }
  return `${lines.join("\n")}\n`;
}
