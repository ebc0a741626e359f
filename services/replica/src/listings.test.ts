import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, type Path, type TreeOperation, type Zxid } from "@quorate/api";
import { decodeToGateway } from "@quorate/proto";
import type { Listing, Tree } from "@quorate/tree";
import type { GatewayConnection } from "./gateways.ts";
import { Listings } from "./listings.ts";
import { replicaLimits } from "./replica-limits.ts";

class ScriptedListing {
  readonly at = 7 as Zxid;
  open = true;
  keptBytes = 0;
  left: number;
  constructor(pages: number) {
    this.left = pages;
  }
  next(): { entries: []; more: boolean } {
    this.left--;
    if (this.left === 0) this.close();
    return { entries: [], more: this.left > 0 };
  }
  close(): void {
    this.open = false;
  }
}

/** Listings of three pages; a turn of the loop does what waited at its beginning. */
function setUp(): {
  listings: Listings;
  made: ScriptedListing[];
  state: { now: number; tree: Tree };
  turn: () => string[];
  settle: () => string[];
  stream: () => GatewayConnection;
  newTree: () => Tree;
} {
  const made: ScriptedListing[] = [];
  const answers: string[] = [];
  let inbox: (() => void)[] = [];
  const newTree = (): Tree =>
    ({
      applied: 9,
      list: () => {
        const listing = new ScriptedListing(3);
        made.push(listing);
        return listing as unknown as Listing;
      },
    }) as unknown as Tree;
  const state = { now: 0, tree: newTree() };
  const listings = new Listings({
    tree: () => state.tree,
    now: () => state.now,
    push: (work) => void inbox.push(work),
  });
  const turn = (): string[] => {
    const work = inbox;
    inbox = [];
    for (const each of work) each();
    return answers.splice(0);
  };
  const settle = (): string[] => {
    const all = turn();
    while (inbox.length > 0) all.push(...turn());
    return all;
  };
  const stream = (): GatewayConnection =>
    ({
      send: (bytes: Uint8Array) => {
        const message = decodeToGateway(bytes);
        assert.ok(message?.kind === "answer");
        const { id, outcome } = message;
        const said = !outcome.ok ? outcome.code : outcome.result.kind === "treePage" && outcome.result.more;
        answers.push(`${id} ${said}`);
      },
    }) as unknown as GatewayConnection;
  return { listings, made, state, turn, settle, stream, newTree };
}

const tree = (listing: number): TreeOperation => ({ kind: "tree", listing, path: "/" as Path, withData: false });
const next = (listing: number, page: number, end = false) =>
  ({ kind: "treePage", listing, at: 7 as Zxid, page, end }) as const;

test("page by page, each number once, and nothing behind the last", () => {
  const { listings, settle, stream } = setUp();
  const one = stream();
  listings.open(one, 1, tree(5), anyone, 0);
  assert.deepEqual(settle(), ["1 true"]);
  listings.page(one, 2, next(5, 1));
  listings.page(one, 3, next(5, 1));
  assert.deepEqual(settle(), ["3 pageTooOld", "2 true"]);
  listings.page(one, 4, { ...next(5, 2), at: 8 as Zxid });
  listings.page(stream(), 5, next(5, 2));
  assert.deepEqual(settle(), ["4 pageTooOld", "5 pageTooOld"], "of another zxid, of another stream");
  listings.page(one, 6, next(5, 2));
  assert.deepEqual(settle(), ["6 false"]);
  assert.equal(listings.size, 0);
  listings.page(one, 7, next(5, 3));
  assert.deepEqual(settle(), ["7 pageTooOld"]);
});

test("one page a turn, whoever asks", () => {
  const { listings, turn, stream } = setUp();
  const one = stream();
  for (let i = 1; i <= 3; i++) listings.open(one, i, tree(i), anyone, 0);
  assert.deepEqual([turn(), turn(), turn(), turn()], [["1 true"], ["2 true"], ["3 true"], []]);
});

test("no more than the limit; an end makes room, and so does the end of a stream", () => {
  const { listings, settle, stream, made } = setUp();
  const [one, two] = [stream(), stream()];
  for (let i = 1; i <= replicaLimits.listings; i++) listings.open(i === 1 ? two : one, i, tree(i), anyone, 0);
  settle();
  listings.open(one, 100, tree(100), anyone, 0);
  assert.deepEqual(settle(), ["100 throttled"]);
  listings.page(one, 101, next(2, 1, true));
  listings.open(one, 102, tree(102), anyone, 0);
  assert.deepEqual(settle(), ["101 false", "102 true"]);
  listings.closed(one);
  assert.equal(listings.size, 1);
  assert.deepEqual(
    made.map((each) => each.open),
    [true, ...made.slice(1).map(() => false)],
  );
});

test("the same number again begins it anew", () => {
  const { listings, settle, stream, made } = setUp();
  const one = stream();
  listings.open(one, 1, tree(5), anyone, 0);
  listings.open(one, 2, tree(5), anyone, 0);
  assert.deepEqual(settle(), ["1 pageTooOld", "2 true"]);
  assert.deepEqual(
    made.map((each) => each.open),
    [false, true],
  );
  assert.equal(listings.size, 1);
});

test("ended: after too long, when nobody comes, when the tree is another one, and the one that needs most", () => {
  const { listings, settle, stream, made, state, newTree } = setUp();
  const one = stream();
  const open = (): string => {
    const listing = made.length + 1;
    listings.open(one, listing, tree(listing), anyone, 0);
    settle();
    return "";
  };
  open();
  state.now += replicaLimits.listingIdleMillis + 1;
  listings.tick();
  assert.equal(listings.size, 0);
  open();
  open();
  (made[1] as ScriptedListing).keptBytes = replicaLimits.listingKeptBytes * 0.4;
  (made[2] as ScriptedListing).keptBytes = replicaLimits.listingKeptBytes * 0.7;
  listings.tick();
  assert.deepEqual(
    made.map((each) => each.open),
    [false, true, false],
  );
  listings.page(one, 50, next(3, 1));
  assert.deepEqual(settle(), ["50 pageTooOld"]);
  state.tree = newTree();
  listings.page(one, 51, next(2, 1));
  assert.deepEqual(settle(), ["51 pageTooOld"]);
  listings.tick();
  assert.equal(listings.size, 0);
  assert.ok(made.every((each) => !each.open));
});
