/** Each invariant, violated by hand: the oracle must name it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Batch, Zxid } from "@quorate/api";
import { Violation } from "./violation.ts";
import { ZabOracle } from "./zab-oracle.ts";

const zero = 0 as Zxid;

function batch(last: number, previous: number, checksum = last): Batch {
  return {
    first: last as Zxid,
    last: last as Zxid,
    previous: previous as Zxid,
    stamp: 0,
    rules: 1,
    commit: zero,
    checksum,
    payload: new Uint8Array(0),
  };
}

function violates(invariant: string, run: (oracle: ZabOracle) => void): void {
  const oracle = new ZabOracle();
  oracle.applied(1, zero, batch(1, 0));
  oracle.applied(1, 1 as Zxid, batch(2, 1));
  assert.throws(
    () => run(oracle),
    (error) => error instanceof Violation && error.invariant === invariant,
  );
}

test("what everybody applies alike violates nothing", () => {
  const oracle = new ZabOracle();
  for (const id of [1, 2, 3]) {
    oracle.applied(id, zero, batch(1, 0));
    oracle.applied(id, 1 as Zxid, batch(2, 1));
  }
  oracle.acknowledge(batch(2, 1));
  oracle.leads(1, 1);
  oracle.leads(1, 1);
  oracle.leads(2, 2);
  oracle.installed(4, 2 as Zxid);
  oracle.confirmed(2, 2 as Zxid, 2 as Zxid);
  oracle.finish(new Map([1, 2, 3, 4].map((id) => [id, 2 as Zxid])));
});

test("total order: another batch at the same place", () => {
  violates("total-order", (oracle) => oracle.applied(2, zero, batch(3, 0)));
});

test("total order: the same zxid with other content", () => {
  violates("total-order", (oracle) => oracle.applied(2, zero, batch(1, 0, 99)));
});

test("total order: a gap", () => {
  violates("total-order", (oracle) => oracle.applied(1, 2 as Zxid, batch(4, 3)));
});

test("prefix agreement: applied behind what nobody applied", () => {
  violates("prefix-agreement", (oracle) => oracle.applied(2, 7 as Zxid, batch(8, 7)));
});

test("prefix agreement: a snapshot of what nobody applied", () => {
  violates("prefix-agreement", (oracle) => oracle.installed(2, 7 as Zxid));
});

test("one leader for each epoch", () => {
  violates("one-leader-per-epoch", (oracle) => {
    oracle.leads(1, 1);
    oracle.leads(2, 1);
  });
});

test("a confirmed read that misses what was acknowledged before it", () => {
  violates("read-index", (oracle) => oracle.confirmed(1, 1 as Zxid, 2 as Zxid));
});

test("a leader that is confirmed and commits nothing", () => {
  const oracle = new ZabOracle();
  oracle.commits(1, 0, 1000);
  oracle.commits(1, 1900, 1000);
  violates("confirmed-leader-commits", (other) => other.commits(1, 1901, 1000));
});

test("a lost acknowledgement", () => {
  violates("no-lost-acknowledgement", (oracle) => {
    oracle.acknowledge(batch(5, 2));
    oracle.finish(new Map([[1, 2 as Zxid]]));
  });
});

test("an acknowledged batch that was replaced by another with its zxid", () => {
  violates("no-lost-acknowledgement", (oracle) => {
    oracle.acknowledge(batch(2, 1, 99));
    oracle.finish(new Map([[1, 2 as Zxid]]));
  });
});

test("a replica that stops for what it would have to take back", () => {
  violates("no-unexpected-stop", (oracle) => oracle.stopped(1, "truncation below what is applied"));
});

test("no progress: a replica that stays behind after healing", () => {
  violates("progress", (oracle) =>
    oracle.finish(
      new Map([
        [1, 2 as Zxid],
        [2, 1 as Zxid],
      ]),
    ),
  );
});
