/**
 * What is wrong with a register group at a glance, each by its name. All of it the search would find too (but for what no
 * specification allows at all); the rules are here so that a violation says what it is, and because they never give up.
 */

import { brief, describe, zxidText } from "./format.ts";
import type { RegisterOperation, TxnPart, ZxidNumber } from "./history.ts";
import {
  type AbsentLook,
  type Certainty,
  certaintiesOf,
  type Look,
  partsOf,
  type Sightings,
  type Written,
} from "./register-sightings.ts";

export function registerRules(operations: readonly RegisterOperation[], sightings: Sightings): string[] {
  const certain = certaintiesOf(operations, sightings);
  const removals = removalsOf(operations);
  return [
    ...sightings.strange.map(
      ({ by, seen }) => `a value that nobody wrote: ${JSON.stringify(seen.value)}: ${describe(by)}`,
    ),
    ...[...sightings.written.values()].flatMap((written) => impossibleLooks(written)),
    ...branchesSeen(sightings),
    ...mzxidsInConditions(operations, sightings),
    ...conditionsWonTwice(operations),
    ...versionsTwice(sightings, removals),
    ...new Order(sightings, certain, removals).violations(),
  ];
}

function impossibleLooks({ value, key, writer, branch, looks }: Written): string[] {
  const found: string[] = [];
  const first = looks[0];
  if (first === undefined) return [];
  const quoted = JSON.stringify(value);
  const reader = describe((looks.find((look) => !look.own) ?? first).by);
  const { answer } = writer;
  if (answer.kind === "noEffect")
    found.push(`noEffect, but it took effect: ${describe(writer)}; ${quoted} was seen by ${reader}`);
  if (answer.kind === "failed")
    found.push(`a failed write took effect: ${describe(writer)}; ${quoted} was seen by ${reader}`);
  if (answer.kind === "ok" && answer.result.kind === "txn" && branch !== answer.result.branch) {
    found.push(`txn: the branch not taken took effect: ${describe(writer)}; ${quoted} was seen by ${reader}`);
  }
  for (const look of looks) {
    if (look.key !== key) found.push(`seen at ${look.key}, but written at ${key}: ${quoted}: ${describe(look.by)}`);
    if (look.by.answered < writer.invoked) {
      found.push(`read before it was written: ${describe(look.by)}; ${describe(writer)}`);
    }
    const { version, mzxid } = look.seen;
    if (version !== first.seen.version || mzxid !== first.seen.mzxid) {
      const other = `version ${version} mzxid ${zxidText(mzxid)} in ${describe(look.by)}`;
      found.push(
        `one write, seen as two (applied twice?): ${quoted} is version ${first.seen.version} mzxid ` +
          `${zxidText(first.seen.mzxid)} in ${describe(first.by)}, and ${other}`,
      );
    }
  }
  return found;
}

/** All puts of one txn have one zxid, and only one branch was taken. */
function branchesSeen({ written }: Sightings): string[] {
  const found: string[] = [];
  const seen = new Map<number, { branch: string | undefined; mzxid: ZxidNumber; value: string }>();
  for (const { writer, branch, value, looks } of written.values()) {
    const look = looks[0];
    if (look === undefined) continue;
    const { mzxid } = look.seen;
    const known = seen.get(writer.id);
    if (known === undefined) seen.set(writer.id, { branch, mzxid, value });
    else if (known.branch !== branch) found.push(`txn: both branches took effect: ${describe(writer)}`);
    else if (known.mzxid !== mzxid) {
      const values = `${JSON.stringify(known.value)} at ${zxidText(known.mzxid)}, ${JSON.stringify(value)} at ${zxidText(mzxid)}`;
      found.push(`txn: one txn, two zxids (applied twice, or half): ${describe(writer)}: ${values}`);
    }
  }
  return found;
}

/** The search knows of an mzxid only what answers say: a recorder must not take one from anywhere else. */
function mzxidsInConditions(operations: readonly RegisterOperation[], { written }: Sightings): string[] {
  const known = new Set([...written.values()].flatMap(({ looks }) => looks.map((look) => look.seen.mzxid)));
  return operations.flatMap((operation) =>
    conditionalParts(operation).flatMap(({ mzxid }) =>
      mzxid === undefined || known.has(mzxid)
        ? []
        : [`recording: a condition on an mzxid that no answer had: ${zxidText(mzxid)} in ${describe(operation)}`],
    ),
  );
}

function conditionalParts({
  call,
}: RegisterOperation): { readonly part: TxnPart; readonly mzxid: ZxidNumber | undefined }[] {
  const parts: readonly TxnPart[] = call.kind === "txn" ? [...call.check, ...call.then, ...(call.else ?? [])] : [call];
  return parts.map((part) => ({ part, mzxid: mzxidOf(part) }));
}

function mzxidOf(part: TxnPart): ZxidNumber | undefined {
  if (part.kind === "read") return undefined;
  return part.kind === "check" ? part.mzxid : part.condition?.mzxid;
}

/** An mzxid is never used twice, and the first write behind it ends it. */
function conditionsWonTwice(operations: readonly RegisterOperation[]): string[] {
  const winners = new Map<string, RegisterOperation>();
  const found: string[] = [];
  for (const operation of operations) {
    for (const won of conditionsWon(operation)) {
      const other = winners.get(won);
      if (other === undefined) winners.set(won, operation);
      else if (other !== operation) {
        found.push(`two compare-and-sets won on one mzxid (lost update): ${describe(other)}; ${describe(operation)}`);
      }
    }
  }
  return found;
}

/** `key mzxid` of each write that was done because its znode had that mzxid. */
function conditionsWon({ call, answer }: RegisterOperation): string[] {
  if (answer.kind !== "ok") return [];
  if (call.kind !== "txn") return call.kind === "read" ? [] : wonBy(call);
  if (answer.result.kind !== "txn") return [];
  const parts = partsOf(call, answer.result.branch);
  const changed = new Set(parts.flatMap((part) => (part.kind === "put" || part.kind === "delete" ? [part.key] : [])));
  const checks = answer.result.branch === "then" ? call.check : [];
  const conditions = [...checks, ...parts].filter((part) => changed.has(part.key));
  return [...new Set(conditions.flatMap(wonBy))];
}

function wonBy(part: TxnPart): string[] {
  const mzxid = mzxidOf(part);
  return mzxid === undefined ? [] : [`${part.key} ${mzxid}`];
}

/** Puts count the version up by one; only a znode made anew begins again. */
function versionsTwice({ written }: Sightings, removals: ReadonlyMap<string, readonly RegisterOperation[]>): string[] {
  const found: string[] = [];
  const byVersion = new Map<string, Written>();
  for (const each of written.values()) {
    const look = each.looks[0];
    if (look === undefined || removals.has(each.key)) continue;
    const place = `${each.key} ${look.seen.version}`;
    const other = byVersion.get(place);
    if (other === undefined) byVersion.set(place, each);
    else if (other.writer !== each.writer) {
      const both = `${describe(other.writer)}; ${describe(each.writer)}`;
      found.push(
        `two writes made the same version of ${each.key} (lost update): version ${look.seen.version}: ${both}`,
      );
    }
  }
  return found;
}

/** Deletes of a key that were done, or may have been. */
function removalsOf(operations: readonly RegisterOperation[]): ReadonlyMap<string, readonly RegisterOperation[]> {
  const removals = new Map<string, RegisterOperation[]>();
  for (const operation of operations) {
    const { answer, call } = operation;
    if (answer.kind === "noEffect" || answer.kind === "failed") continue;
    const taken = answer.kind === "ok" && answer.result.kind === "txn" ? answer.result.branch : undefined;
    const parts: readonly TxnPart[] =
      call.kind !== "txn" ? [call] : taken === undefined ? [...call.then, ...(call.else ?? [])] : partsOf(call, taken);
    for (const part of parts) {
      if (part.kind !== "delete") continue;
      const of = removals.get(part.key) ?? [];
      removals.set(part.key, of);
      of.push(operation);
    }
  }
  return removals;
}

/** What must stand before what, by real time alone, and who saw it otherwise. */
class Order {
  readonly #sightings: Sightings;
  readonly #certain: ReadonlyMap<number, Certainty>;
  readonly #removals: ReadonlyMap<string, readonly RegisterOperation[]>;
  readonly #byKey = new Map<string, Written[]>();

  constructor(
    sightings: Sightings,
    certain: ReadonlyMap<number, Certainty>,
    removals: ReadonlyMap<string, readonly RegisterOperation[]>,
  ) {
    this.#sightings = sightings;
    this.#certain = certain;
    this.#removals = removals;
    const seen = new Set<string>();
    for (const written of sightings.written.values()) if (written.looks.length > 0) seen.add(branchOf(written));
    for (const written of sightings.written.values()) {
      if (!seen.has(branchOf(written)) && !isAcknowledged(written)) continue;
      const others = this.#byKey.get(written.key) ?? [];
      this.#byKey.set(written.key, others);
      others.push(written);
    }
  }

  violations(): string[] {
    const found: string[] = [];
    for (const older of this.#sightings.written.values()) {
      for (const look of older.looks) {
        const name = look.own ? undefined : (this.#overtaken(look, older) ?? this.#deleted(look, older));
        if (name !== undefined) found.push(name);
      }
    }
    for (const look of this.#sightings.absent) {
      const name = this.#missing(look);
      if (name !== undefined) found.push(name);
    }
    return found;
  }

  #certaintyOf(writer: RegisterOperation): Certainty {
    return this.#certain.get(writer.id) ?? { at: Number.POSITIVE_INFINITY, by: writer };
  }

  /** Somebody saw `older` although a write behind it was certain before he asked. */
  #overtaken({ by, key }: Look, older: Written): string | undefined {
    const olderBy = this.#certaintyOf(older.writer).at;
    for (const newer of this.#byKey.get(key) ?? []) {
      if (newer.writer === older.writer || olderBy >= newer.writer.invoked) continue;
      const certainty = this.#certaintyOf(newer.writer);
      if (certainty.at >= by.invoked) continue;
      return `${nameOf(newer, certainty)}: ${describe(by)} shows what was overwritten by ${describe(newer.writer)}`;
    }
    return undefined;
  }

  #deleted({ by, key }: Look, older: Written): string | undefined {
    const olderBy = this.#certaintyOf(older.writer).at;
    const removal = (this.#removals.get(key) ?? []).find(
      ({ answer, answered, invoked }) => answer.kind === "ok" && invoked > olderBy && answered < by.invoked,
    );
    if (removal === undefined) return undefined;
    return `stale read (deleted znode): ${describe(by)} shows what was deleted by ${describe(removal)}`;
  }

  /** Nothing there, although a write was certain and nobody can have deleted it. */
  #missing({ by, key }: AbsentLook): string | undefined {
    for (const written of this.#byKey.get(key) ?? []) {
      if (this.#certaintyOf(written.writer).at >= by.invoked) continue;
      const removed = (this.#removals.get(key) ?? []).some(
        ({ invoked, answered }) => invoked <= by.answered && answered >= written.writer.invoked,
      );
      if (!removed) return `acknowledged write lost: ${describe(by)} shows nothing of ${describe(written.writer)}`;
    }
    return undefined;
  }
}

function nameOf(newer: Written, certainty: Certainty): string {
  if (certainty.key !== undefined) {
    const how = `${brief(newer.writer)} had been seen by ${brief(certainty.by)}`;
    if (certainty.key !== newer.key) return `txn half applied (${how} at ${certainty.key}, but not at ${newer.key})`;
    return `stale read (non-monotonic: ${how})`;
  }
  return newer.looks.some((look) => !look.own) ? "stale read" : "acknowledged write lost, or a stale read";
}

function branchOf({ writer, branch }: Written): string {
  return `${writer.id}/${branch}`;
}

/** Of a txn's puts only those of the branch taken. */
function isAcknowledged({ writer, branch }: Written): boolean {
  const { answer } = writer;
  return answer.kind === "ok" && (answer.result.kind !== "txn" || answer.result.branch === branch);
}
