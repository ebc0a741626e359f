/** Counters and gauges in Prometheus' text form: plain numbers, read when somebody asks. */

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly value: number;
}

export function formatMetrics(metrics: readonly Metric[]): string {
  const lines: string[] = [];
  for (const { name, help, type, value } of metrics) {
    lines.push(`# HELP quorate_${name} ${help}`, `# TYPE quorate_${name} ${type}`, `quorate_${name} ${value}`);
  }
  return `${lines.join("\n")}\n`;
}
