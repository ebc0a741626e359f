/** Durations as the REST door writes them: `500ms`, `30s`. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

export function durationText(millis: number): string {
  return millis > 0 && millis % 1000 === 0 ? `${millis / 1000}s` : `${Math.round(millis)}ms`;
}

export function millisOf(text: string): number {
  const [, count = "", unit = ""] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  return Number(count) * (units[unit] ?? Number.NaN);
}
