/**
 * The state file: small, checksummed, replaced atomically, readable by people. It is what a data folder is judged by:
 * which files count, and what this replica has promised.
 */
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { epochLimit, formatZxid, parseZxid, type ReplicaId, type Zxid, zeroZxid } from "@quorate/api";
import type { DurableState, Standing } from "@quorate/zab";
import { parseLogName, parseSnapshotName, partialSuffix, stateName } from "./file-names.ts";
import { CorruptionError, StorageError } from "./storage-error.ts";
import { type Disk, DiskError } from "./world.ts";

export const stateFormat = 1;

export interface StoredState {
  readonly replicaId: ReplicaId;
  /** 32 hex digits: which history the zxids belong to; empty before the birth. */
  readonly historyId: string;
  /** How often this history was begun anew (restore, recovery). */
  readonly generation: number;
  /** The highest rules version that this replica has announced. */
  readonly announcedRules: number;
  /** How often in a row its state differed from that of a majority. */
  readonly divergences: number;
  readonly protocol: DurableState;
  /** The snapshot that the history stands on; 0: none. */
  readonly snapshot: Zxid;
  /** Its file, and those of older ones that are kept, newest first. */
  readonly snapshotFiles: readonly string[];
  /** File of the first segment that counts; the others of its lineage follow it. */
  readonly firstSegment: string;
}

/** The state of a replica that has promised nothing. */
export function freshState(replicaId: ReplicaId, standing: Standing, firstSegment: string): StoredState {
  return {
    replicaId,
    historyId: "",
    generation: 0,
    announcedRules: 0,
    divergences: 0,
    protocol: { standing, ensembleId: "", acceptedEpoch: 0, currentEpoch: 0 },
    snapshot: zeroZxid,
    snapshotFiles: [],
    firstSegment,
  };
}

export function encodeState(state: StoredState): Uint8Array {
  const content = { format: stateFormat, ...state, snapshot: formatZxid(state.snapshot) };
  const crc = crc32(JSON.stringify(content)).toString(16).padStart(8, "0");
  return new Uint8Array(Buffer.from(`${JSON.stringify({ crc32: crc, state: content }, undefined, 2)}\n`));
}

/** Reads a state file's bytes; throws CorruptionError, or StorageError for a format of another version. */
export function decodeState(file: string, bytes: Uint8Array): StoredState {
  const parsed = parseJson(file, bytes);
  const content = record(parsed["state"]);
  if (content === undefined) throw new CorruptionError(file, "holds no state");
  const crc = crc32(JSON.stringify(content)).toString(16).padStart(8, "0");
  if (parsed["crc32"] !== crc) throw new CorruptionError(file, `its checksum is ${crc}, it says ${parsed["crc32"]}`);
  if (content["format"] !== stateFormat) {
    throw new StorageError(file, `has format ${content["format"]}; this program knows ${stateFormat}`);
  }
  const state = readState(content);
  if (typeof state === "string") throw new CorruptionError(file, `${state} is missing or out of range`);
  return state;
}

/** The state of a folder; undefined when it has none. */
export async function loadState(disk: Disk, folder: string): Promise<StoredState | undefined> {
  const path = join(folder, stateName);
  if (!(await disk.exists(path))) return undefined;
  const file = await disk.open(path, "read");
  try {
    return decodeState(path, await file.read(0, await file.size()));
  } finally {
    await file.close();
  }
}

/** Replaces the state file: after it both the bytes and the name are durable, before it the old one stands whole. */
export async function saveState(disk: Disk, folder: string, state: StoredState): Promise<void> {
  const path = join(folder, stateName);
  await writeWhole(disk, path + partialSuffix, encodeState(state));
  await disk.rename(path + partialSuffix, path);
  await disk.syncFolder(dirname(path));
}

/** A small file, written and fsynced; one that a crash left half-made is replaced. */
export async function writeWhole(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  await removeIfThere(disk, path);
  const file = await disk.open(path, "create");
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function removeIfThere(disk: Disk, path: string): Promise<void> {
  try {
    await disk.remove(path);
  } catch (error) {
    if (!(error instanceof DiskError && error.code === "ENOENT")) throw error;
  }
}

type Json = Readonly<Record<string, unknown>>;

function parseJson(file: string, bytes: Uint8Array): Json {
  try {
    return record(JSON.parse(Buffer.from(bytes).toString("utf8"))) ?? {};
  } catch {
    throw new CorruptionError(file, "is no JSON");
  }
}

function record(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The state in `content`, or the name of the field that is wrong. */
function readState(content: Json): StoredState | string {
  const protocol = readProtocol(record(content["protocol"]) ?? {});
  if (typeof protocol === "string") return `protocol.${protocol}`;
  const { replicaId, historyId, generation, announcedRules, divergences, snapshotFiles, firstSegment } = content;
  if (!isCount(replicaId, 256) || replicaId === 0) return "replicaId";
  if (!isId(historyId)) return "historyId";
  if (!isCount(generation)) return "generation";
  if (!isCount(announcedRules, 2 ** 32)) return "announcedRules";
  if (!isCount(divergences, 2 ** 32)) return "divergences";
  const snapshot = parseZxid(String(content["snapshot"]));
  if (snapshot === undefined) return "snapshot";
  if (!Array.isArray(snapshotFiles) || !snapshotFiles.every(isSnapshotFile)) return "snapshotFiles";
  const newest = snapshotFiles[0] === undefined ? zeroZxid : parseSnapshotName(snapshotFiles[0])?.at;
  if (newest !== snapshot) return "snapshotFiles";
  if (typeof firstSegment !== "string" || parseLogName(firstSegment) === undefined) return "firstSegment";
  return {
    replicaId,
    historyId,
    generation,
    announcedRules,
    divergences,
    protocol,
    snapshot,
    snapshotFiles,
    firstSegment,
  };
}

function readProtocol(content: Json): DurableState | string {
  const { standing, ensembleId, acceptedEpoch, currentEpoch } = content;
  if (standing !== "founding" && standing !== "joining" && standing !== "member") return "standing";
  if (!isId(ensembleId)) return "ensembleId";
  if (!isCount(acceptedEpoch, epochLimit)) return "acceptedEpoch";
  if (!isCount(currentEpoch, epochLimit)) return "currentEpoch";
  return { standing, ensembleId, acceptedEpoch, currentEpoch };
}

function isCount(value: unknown, limit: number = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit;
}

function isId(value: unknown): value is string {
  return typeof value === "string" && /^([0-9a-f]{32})?$/.test(value);
}

function isSnapshotFile(value: unknown): value is string {
  return typeof value === "string" && parseSnapshotName(value) !== undefined;
}
