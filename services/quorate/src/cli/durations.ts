/** Durations as people write them, and times as a terminal shows them. */
const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `30s`, `5m`, `2h`, `1d`; `0` needs no unit. Undefined: it is none. */
export function durationMillis(text: string): number | undefined {
  if (text === "0") return 0;
  const [, digits, unit] = /^(\d{1,12})(ms|s|m|h|d)$/.exec(text) ?? [];
  const factor = units[unit ?? ""];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** As REST takes it: whole, in the largest unit that fits. */
export function durationText(millis: number): string {
  for (const unit of ["h", "m", "s"]) {
    const factor = units[unit] ?? 1;
    if (millis >= factor && millis % factor === 0) return `${millis / factor}${unit}`;
  }
  return `${Math.round(millis)}ms`;
}

/** For eyes: `850ms`, `12s`, `3m20s`, `2h05m`, `3d04h`. */
export function roughDuration(millis: number): string {
  const seconds = Math.floor(millis / 1000);
  if (millis < 1000) return `${Math.max(0, Math.round(millis))}ms`;
  if (seconds < 60) return `${seconds}s`;
  const pad = (value: number): string => String(value).padStart(2, "0");
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${pad(seconds % 60)}s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 24) return `${hours}h${pad(Math.floor(seconds / 60) % 60)}m`;
  return `${Math.floor(hours / 24)}d${pad(hours % 24)}h`;
}

/** `2026-11-22 23:06:00` of this machine's time zone. */
export function localTime(stamp: string): string {
  const time = new Date(stamp);
  if (Number.isNaN(time.getTime())) return stamp;
  const pad = (value: number): string => String(value).padStart(2, "0");
  const day = `${time.getFullYear()}-${pad(time.getMonth() + 1)}-${pad(time.getDate())}`;
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}:${pad(time.getSeconds())}`;
}

/** `512 B`, `1.5 KB`, `980 KB`. */
export function byteCount(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
