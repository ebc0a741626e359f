import assert from "node:assert/strict";
import { test } from "node:test";
import { anyone, decodeRead, type ListingOperation, type Outcome, type Path, type Zxid } from "@quorate/api";
import type { FromGateway } from "@quorate/proto";
import type { Answer, TreeRequest } from "./backend.ts";
import { linkLimits } from "./limits.ts";
import { brief, watch } from "./link-fixture.test-support.ts";
import { Listings } from "./listings.ts";
import type { ReplicaStream } from "./stream.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

interface Said {
  readonly id: number;
  readonly operation: ListingOperation;
}

class Stream implements ReplicaStream {
  readonly replica: number;
  readonly address = "";
  readonly rules = 0;
  readonly writable = true;
  readonly said: Said[] = [];
  constructor(replica: number) {
    this.replica = replica;
  }
  send(message: FromGateway): void {
    assert.ok(message.kind === "read");
    this.said.push({ id: message.id, operation: decodeRead(message.operation) as ListingOperation });
  }
}

const request: TreeRequest = {
  identity: anyone,
  path: "/a" as Path,
  withData: false,
  consistency: "linearizable",
  minZxid: 0 as Zxid,
  maxStaleMillis: 0,
};
const at = 7 as Zxid;
const page = (more: boolean): Outcome => ({ ok: true, zxid: at, result: { kind: "treePage", at, entries: [], more } });
const told = (outcome: Outcome): Answer => ({ kind: "outcome", outcome, servedBy: 1, ageMillis: 0 });

/** The test answers the first pages, and the streams' further ones. */
function setUp() {
  const world = new VirtualWorld(1);
  const firsts: ((answer: Answer, stream: ReplicaStream | undefined) => void)[] = [];
  let id = 0;
  let givenUp = 0;
  const listings = new Listings({
    world,
    nextId: () => ++id,
    read: (_request, _deadline, answered) => {
      firsts.push(answered);
      return () => {
        givenUp++;
      };
    },
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { world, listings, firsts, settle, givenUp: () => givenUp };
}

test("all pages come from the stream that gave the first, each with its number", async () => {
  const { listings, firsts, settle } = setUp();
  const [one, other] = [new Stream(1), new Stream(2)];
  const pages = listings.create(request);
  const first = watch(pages.next(1000));
  firsts[0]?.(told(page(true)), one);
  await settle();
  assert.equal(brief(first.answer), "ok");
  for (const [number, more] of [
    [1, true],
    [2, false],
  ] as const) {
    const next = watch(pages.next(1000));
    const said = one.said.at(-1) as Said;
    assert.deepEqual(said.operation, { kind: "treePage", listing: 1, at, page: number, end: false });
    assert.ok(listings.answered(one, said.id, page(more)));
    assert.ok(!listings.answered(one, said.id, page(more)), "once");
    await settle();
    assert.equal(brief(next.answer), "ok");
  }
  assert.equal(listings.size, 0);
  assert.deepEqual(other.said, []);
  assert.equal(brief(await pages.next(1000)), "pageTooOld noEffect");
  pages.close();
  assert.equal(one.said.length, 2, "what is over needs no end");
});

test("a broken stream and a page that does not come end it", async () => {
  for (const end of ["lost", "late"] as const) {
    const { world, listings, firsts, settle } = setUp();
    const stream = new Stream(1);
    const pages = listings.create(request);
    void pages.next(1000);
    firsts[0]?.(told(page(true)), stream);
    const next = watch(pages.next(1000));
    await settle();
    if (end === "lost") {
      listings.lost(new Stream(2));
      await settle();
      assert.equal(next.answer, undefined);
      listings.lost(stream);
    } else await world.run(1001);
    await settle();
    assert.equal(brief(next.answer), "pageTooOld noEffect");
    assert.equal(listings.size, 0);
  }
});

test("closed: the replica is told, what is under way is answered, and nothing is asked any more", async () => {
  const { listings, firsts, settle, givenUp } = setUp();
  const stream = new Stream(1);
  const waiting = listings.create(request);
  const never = watch(waiting.next(1000));
  waiting.close();
  await settle();
  assert.equal(brief(never.answer), "pageTooOld noEffect");
  assert.equal(listings.size, 0);
  firsts[0]?.(told(page(true)), stream);
  assert.equal(givenUp(), 0, "the first page tells who keeps the listing");
  const [end] = stream.said.splice(0);
  assert.deepEqual(end?.operation, { kind: "treePage", listing: 1, at, page: 0, end: true });
  const pages = listings.create(request);
  void pages.next(1000);
  firsts[1]?.(told(page(true)), stream);
  const next = watch(pages.next(1000));
  pages.close();
  pages.close();
  await settle();
  assert.equal(brief(next.answer), "pageTooOld noEffect");
  assert.deepEqual(
    stream.said.map(({ operation }) => operation.kind === "treePage" && operation.end),
    [false, true],
  );
  assert.ok(!listings.answered(stream, (stream.said[0] as Said).id, page(true)));
  assert.equal(listings.size, 0);
});

test("as many as there may be, and their failures are those of reads", async () => {
  const { listings, firsts } = setUp();
  for (let i = 0; i < linkLimits.listings; i++) void listings.create(request).next(1000);
  assert.equal(brief(await listings.create(request).next(1000)), "throttled noEffect");
  assert.equal(listings.size, linkLimits.listings);
  firsts[0]?.(told({ ok: false, zxid: at, code: "noNode", detail: "" }), new Stream(1));
  assert.equal(listings.size, linkLimits.listings - 1);
  listings.stop();
  assert.equal(listings.size, 0);
});
