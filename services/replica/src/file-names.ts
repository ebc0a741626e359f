/**
 * Names in the data folder: `state`, `lock`, `log.<base>.<lineage>`, `snapshot.<zxid>.<lineage>`, `corrupt-<n>`.
 *
 * A lineage is one unbroken history of the folder: the installation of a leader's snapshot begins the next one, so that
 * what is staged never has a name of what still counts. The base of a segment is the position that it begins behind.
 */
import { type Zxid, zeroZxid } from "@quorate/api";

export const stateName = "state";
export const lockName = "lock";
/** Behind a name while the file is being made. */
export const partialSuffix = ".partial";
export const asidePrefix = "corrupt-";

export interface LogName {
  readonly base: Zxid;
  readonly lineage: number;
}

export interface SnapshotName {
  readonly at: Zxid;
  readonly lineage: number;
}

export function logName(name: LogName): string {
  return `log.${hex(name.base)}.${name.lineage}`;
}

export function snapshotName(name: SnapshotName): string {
  return `snapshot.${hex(name.at)}.${name.lineage}`;
}

export function parseLogName(text: string): LogName | undefined {
  const parsed = parse("log", text);
  return parsed && { base: parsed.zxid, lineage: parsed.lineage };
}

export function parseSnapshotName(text: string): SnapshotName | undefined {
  const parsed = parse("snapshot", text);
  return parsed && { at: parsed.zxid, lineage: parsed.lineage };
}

function hex(zxid: Zxid): string {
  return zxid.toString(16).padStart(16, "0");
}

function parse(kind: string, text: string): { zxid: Zxid; lineage: number } | undefined {
  const match = /^([a-z]+)\.([0-9a-f]{16})\.([1-9][0-9]{0,14})$/.exec(text);
  if (match?.[1] !== kind) return undefined;
  const zxid = Number.parseInt(match[2] ?? "", 16);
  const lineage = Number.parseInt(match[3] ?? "", 10);
  return Number.isSafeInteger(zxid) ? { zxid: (zxid === 0 ? zeroZxid : zxid) as Zxid, lineage } : undefined;
}
