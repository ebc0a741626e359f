/** What a gateway answered, by operation and status, in Prometheus' text form. */
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

  format(): string {
    const lines = ["# HELP quorate_requests_total requests answered", "# TYPE quorate_requests_total counter"];
    for (const [labels, { count }] of this.#counts) lines.push(`quorate_requests_total{${labels}} ${count}`);
    lines.push("# HELP quorate_request_ms_total time until the answer, ms", "# TYPE quorate_request_ms_total counter");
    for (const [labels, { millis }] of this.#counts) {
      lines.push(`quorate_request_ms_total{${labels}} ${Math.round(millis)}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
