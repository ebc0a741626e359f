/** The rules of the disk: what is durable, what a restart believes, snapshots and their installation. */
import { type Mutant, replica, tree } from "./row.ts";

export const disk: readonly Mutant[] = [
  {
    name: "replay-uncommitted-tail",
    from: "interleavings 1.3c",
    rule: "after a restart only the snapshot, and what a later batch's commit index covers, is applied",
    simulator: "whole",
    patches: [
      replica(
        "log-scan",
        "const known = Math.max(batch.commit, Math.min(this.#snapshot, batch.last));",
        "const known = batch.last;",
      ),
    ],
    within: 400,
    scenario: "powerLossOfAll+split",
  },
  {
    name: "tail-not-written-again",
    from: "interleavings 1.8",
    rule: "the recovered tail is written again before it is fsynced: after a failed fsync the page cache lies",
    simulator: "whole",
    patches: [replica("recovery", "await file.write([piece], offset);", "void piece;")],
    within: 400,
    scenario: "failingDisk+powerLoss+powerLossOfAll",
  },
  {
    name: "tail-not-fsynced",
    from: "DESIGN 4, The disk",
    rule: "the recovered tail is durable before the first vote: a killed process may have left it in the page cache",
    simulator: "whole",
    patches: [replica("recovery", "    await this.#writeAgain(file);\n", "")],
    within: 400,
    scenario: "kill+powerLossOfAll+powerLoss",
  },
  {
    name: "corrupt-middle-as-torn",
    from: "interleavings 1.8",
    rule: "a bad record with a good one behind it is corruption, and not a torn tail to be cut",
    simulator: "whole",
    patches: [
      replica(
        "recovery",
        "if (ended.end < this.#fence || isDurableBehind(rest, ended.end, ended.end)) {",
        "if (rest.length < 0) {",
      ),
    ],
    within: 400,
    scenario: "bitFlipInLog",
  },
  {
    name: "corrupt-replica-counts",
    from: "interleavings 1.8",
    rule: "a replica whose folder was set aside comes back as joining",
    simulator: "whole",
    patches: [
      replica(
        "data-folder",
        `    state = await startAnew(ports, state.replicaId, "joining");\n    files = await recoverFiles(ports, state);\n  }`,
        `    const { protocol } = state;
    state = await startAnew(ports, state.replicaId, "joining");
    files = await recoverFiles(ports, state);
    state = { ...state, protocol };
  }`,
      ),
    ],
    within: 400,
    scenario: "bitFlipInLog",
  },
  {
    name: "record-checksum-ignored",
    from: "DESIGN 4, The disk",
    rule: "a record is believed when its checksum holds",
    simulator: "whole",
    patches: [
      replica("record", "const payloadCrc = crc32(payload);", "const payloadCrc = view.getUint32(offset + 56, true);"),
    ],
    within: 400,
    scenario: "bitFlipInLog",
  },
  {
    name: "failed-fsync-ignored",
    from: "DESIGN 4, The disk; PostgreSQL's fsyncgate",
    rule: "every I/O error of the log ends the process",
    simulator: "whole",
    patches: [
      replica(
        "journal",
        "await this.#file.writeDurably(parts, segment.bytes);",
        "await this.#file.writeDurably(parts, segment.bytes).catch(() => this.#file.sync());",
      ),
    ],
    within: 400,
    scenario: "failingDisk+powerLoss+powerLossOfAll",
  },
  {
    name: "segment-entry-not-fsynced",
    from: "interleavings 1.8",
    rule: "a new segment's folder entry is fsynced before anything in it is acknowledged",
    simulator: "whole",
    patches: [
      replica("journal", "  await ports.disk.syncFolder(ports.folder);\n  const bornMillis", "  const bornMillis"),
    ],
    within: 400,
    scenario: "powerLossOfAll+bursts",
  },
  {
    name: "closed-segment-not-cut",
    from: "interleavings 1.15",
    rule: "size only begins a new segment: what is not committed in the one before it can still be cut",
    simulator: "whole",
    patches: [
      replica(
        "journal",
        "while (this.#segments.length > 1 && this.#tail.base >= to) {",
        "while (this.#segments.length < 1) {",
      ),
    ],
    within: 400,
    scenario: "isolate+oneWay+split+bursts",
  },
  {
    name: "state-not-fsynced",
    from: "interleavings 1.4, Birth",
    rule: "the state file's bytes are durable before its name is replaced",
    simulator: "whole",
    patches: [
      replica(
        "state-file",
        "    await file.write([bytes], 0);\n    await file.sync();",
        "    await file.write([bytes], 0);",
      ),
    ],
    within: 400,
    scenario: "powerLossOfAll",
  },
  {
    name: "state-name-not-fsynced",
    from: "interleavings 1.4, Birth",
    rule: "the state file's new name is durable before what it promises is told",
    simulator: "whole",
    patches: [replica("state-file", "  await disk.syncFolder(dirname(path));", "  void dirname;")],
    within: 400,
    scenario: "powerLossOfAll",
  },
  {
    name: "snapshot-named-before-durable",
    from: "DESIGN 5",
    rule: "a snapshot is fsynced, with its folder, before the state file names it",
    simulator: "whole",
    patches: [
      replica(
        "snapshots",
        `      await this.#file.sync();\n      this.#state = "closed";`,
        `      this.#state = "closed";`,
      ),
      replica(
        "snapshots",
        "      this.#synced = this.#offset;\n      await this.#file.sync();\n",
        "      this.#synced = this.#offset;\n",
      ),
    ],
    within: 400,
    scenario: "rest+powerLossOfAll",
  },
  {
    name: "staged-snapshot-not-durable",
    from: "interleavings 1.16",
    rule: "a leader's snapshot is durable before the state file names it",
    simulator: "whole",
    patches: [replica("staging", "    await file.sync();\n    await file.close();", "    await file.close();")],
    within: 400,
    scenario: "emptyDisk",
  },
  {
    name: "snapshot-installed-in-two-steps",
    from: "interleavings 1.16",
    rule: "a leader's snapshot and the log behind it take effect by one replacement of the state file",
    simulator: "whole",
    patches: [
      replica(
        "storage",
        "await this.#save({ ...next, snapshot: at, snapshotFiles: [staged.snapshotFile], firstSegment });",
        `await this.#save({ ...next, snapshot: at, snapshotFiles: [staged.snapshotFile] });
    await this.#save({ ...this.#state, firstSegment });`,
      ),
    ],
    // Who was away is soon beyond what is kept for him: snapshots are sent often.
    setting: [replica("replica-limits", "historyBytes: 32 * 1024 * 1024,", "historyBytes: 2000,")],
    within: 400,
    scenario: "emptyDisk+crashAtDiskStep+isolate",
  },
  {
    name: "snapshot-not-exact",
    from: "interleavings 1.31; DESIGN 5",
    rule: "the first change of a record that a running snapshot has not written keeps its former record for it",
    simulator: "whole",
    patches: [
      tree("store", "        snapshot.kept.push({ table: this as unknown as Table<Stored>, record: former });\n", ""),
      // The program's own check would stop it before it does harm.
      replica("snapshotter", "if (!cursor.digestMatches) {", "if (file === undefined) {"),
    ],
    within: 400,
    scenario: "emptyDisk+powerLoss+bursts",
  },
  {
    name: "ring-kept-across-snap",
    from: "interleavings 1.11",
    rule: "the ring of changes begins anew at a snapshot: what lies before it is too old",
    simulator: "whole",
    patches: [tree("state", "new ChangeRing(ringBytes, this.applied)", "new ChangeRing(ringBytes, 0 as Zxid)")],
    within: 400,
  },
  {
    name: "leaders-digest-is-right",
    from: "interleavings 1.7",
    rule: "of two digests the minority's is wrong, the leader's too",
    simulator: "whole",
    patches: [
      replica(
        "parts",
        "parts.members.digest(host.options.id, from, at, digest)",
        "parts.members.digest(host.options.id, from, at, digest, host.peer.view.status.leader)",
      ),
      replica(
        "members",
        "at: Zxid, digest: string): Comparison",
        "at: Zxid, digest: string, leader: ReplicaId): Comparison",
      ),
      replica(
        "members",
        "if (count <= this.#size / 2) continue;",
        "if (count < 1 || each !== there.get(leader)) continue;",
      ),
    ],
    within: 400,
    scenario: "bitFlipInMemory",
  },
  {
    name: "digests-not-compared",
    from: "DESIGN 5",
    rule: "a replica whose state differs from the majority's stops",
    simulator: "whole",
    patches: [replica("parts", `if (comparison.kind === "differs") host.quarantine(comparison.detail);`, "")],
    within: 400,
    scenario: "bitFlipInMemory",
  },
];
