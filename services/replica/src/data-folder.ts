/**
 * The data folder as a whole, at start: whose it is, what in it counts, what is rubbish, and what is set aside because
 * it is not what was written.
 */
import { join } from "node:path";
import { type ReplicaId, zeroZxid } from "@quorate/api";
import type { Standing } from "@quorate/zab";
import {
  asidePrefix,
  lockName,
  logName,
  parseLogName,
  parseSnapshotName,
  partialSuffix,
  stateName,
} from "./file-names.ts";
import type { JournalPorts } from "./journal.ts";
import { type RecoveredFiles, recoverFiles } from "./recovery.ts";
import { freshState, loadState, removeIfThere, type StoredState, saveState, writeWhole } from "./state-file.ts";
import { CorruptionError, StorageError } from "./storage-error.ts";

/** What a folder without a state file becomes; the id is checked against one that has one. */
export interface Create {
  readonly replicaId: ReplicaId;
  readonly standing: Extract<Standing, "founding" | "joining">;
}

export interface OpenedFolder {
  readonly state: StoredState;
  readonly files: RecoveredFiles;
  /** The folder that holds what was set aside. */
  readonly setAside: string | undefined;
  readonly notes: readonly string[];
}

const firstSegment = logName({ base: zeroZxid, lineage: 1 });

/** Reads the folder, makes it if `create` says so, and leaves it with what counts alone, durable. */
export async function openFolder(ports: JournalPorts, create: Create | undefined): Promise<OpenedFolder> {
  const loaded = await loadOrCreate(ports, create);
  const { setAside } = loaded;
  let { state } = loaded;
  const notes = [...loaded.notes];
  let files: RecoveredFiles;
  let aside = setAside;
  try {
    if (state.divergences >= toleratedDivergences && create !== undefined) throw diverged(ports);
    files = await recoverFiles(ports, state);
  } catch (error) {
    // Who opens without `create` only looks, or recovers from the last disk there is: nothing of it is moved.
    if (!(error instanceof CorruptionError) || create === undefined) throw error;
    notes.push(error.message);
    aside = await putAside(ports);
    state = await startAnew(ports, state.replicaId, "joining");
    files = await recoverFiles(ports, state);
  }
  notes.push(...files.notes);
  state = { ...state, snapshot: files.snapshot, snapshotFiles: files.snapshotFiles };
  // Replaced even when nothing changed: a failed fsync of the folder may have left a name that is not durable.
  await saveState(ports.disk, ports.folder, state);
  await removeRubbish(ports, state, files);
  return { state, files, setAside: aside, notes };
}

/** What is wrong only in memory is mended by a restart; what came back wrong from its own files is not. */
const toleratedDivergences = 2;

function diverged({ folder }: JournalPorts): CorruptionError {
  return new CorruptionError(join(folder, stateName), "the state that it leads to differed from the majority's twice");
}

interface Loaded {
  readonly state: StoredState;
  readonly setAside: string | undefined;
  readonly notes: readonly string[];
}

async function loadOrCreate(ports: JournalPorts, create: Create | undefined): Promise<Loaded> {
  const path = join(ports.folder, stateName);
  let loaded: StoredState | undefined;
  let reason = "is missing, and logs or snapshots are there";
  try {
    loaded = await loadState(ports.disk, ports.folder);
  } catch (error) {
    if (!(error instanceof CorruptionError) || create === undefined) throw error;
    reason = error.reason;
  }
  if (loaded !== undefined) {
    if (create !== undefined && loaded.replicaId !== create.replicaId) {
      throw new StorageError(path, `belongs to replica ${loaded.replicaId}, this is replica ${create.replicaId}`);
    }
    return { state: loaded, setAside: undefined, notes: [] };
  }
  if (create === undefined) throw new StorageError(path, "there is no state file: this folder holds no replica");
  const names = await ports.disk.list(ports.folder);
  if (!names.some((name) => isData(name) || name === stateName)) {
    return {
      state: await startAnew(ports, create.replicaId, create.standing),
      setAside: undefined,
      notes: [],
    };
  }
  // What it has promised is forgotten: it may not found anything.
  const setAside = await putAside(ports);
  const state = await startAnew(ports, create.replicaId, "joining");
  return { state, setAside, notes: [`${path}: ${reason}`] };
}

/** The state file is the first thing written: the log is made behind it, at recovery. */
async function startAnew(ports: JournalPorts, replicaId: ReplicaId, standing: Standing): Promise<StoredState> {
  const state = freshState(replicaId, standing, firstSegment);
  await saveState(ports.disk, ports.folder, state);
  return state;
}

/**
 * Moves everything into a folder of its own, the state file as the last and as a copy: it is replaced by the fresh one,
 * so that a crash in between finds a folder that is still to be set aside, and never one that was never used.
 */
async function putAside(ports: JournalPorts): Promise<string> {
  const { disk, folder } = ports;
  const names = await disk.list(folder);
  let number = 1;
  while (names.includes(`${asidePrefix}${number}`)) number += 1;
  const aside = join(folder, `${asidePrefix}${number}`);
  await disk.makeFolder(aside);
  await disk.syncFolder(folder);
  if (names.includes(stateName)) {
    const file = await disk.open(join(folder, stateName), "read");
    const bytes = await file.read(0, await file.size());
    await file.close();
    await writeWhole(disk, join(aside, stateName), bytes);
  }
  for (const name of names.filter(isData)) await disk.rename(join(folder, name), join(aside, name));
  await disk.syncFolder(aside);
  await disk.syncFolder(folder);
  return aside;
}

/** Removes our files that the state file does not name; strangers' files stay. */
async function removeRubbish(ports: JournalPorts, state: StoredState, files: RecoveredFiles): Promise<void> {
  const counting = new Set([...state.snapshotFiles, ...files.journal.segments.map((segment) => segment.name)]);
  for (const name of await ports.disk.list(ports.folder)) {
    const ours = isData(name) || name === stateName + partialSuffix;
    if (ours && !counting.has(name)) await removeIfThere(ports.disk, join(ports.folder, name));
  }
}

function isData(name: string): boolean {
  if (name === lockName || name === stateName) return false;
  const whole = name.endsWith(partialSuffix) ? name.slice(0, -partialSuffix.length) : name;
  return parseLogName(whole) !== undefined || parseSnapshotName(whole) !== undefined;
}
