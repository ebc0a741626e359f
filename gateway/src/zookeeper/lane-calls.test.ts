/** The numbers that the door gives to writes, against the rules of a session's lane. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { anyone, type Path, type WriteOperation } from "@quorate/api";
import { acting, fenced, shown, start, zxid } from "../session-lane-fixture.test-support.ts";
import type { ConnectionContext, Slot } from "./context.ts";
import { LaneCalls } from "./lane-calls.ts";
import { toNothing } from "./results.ts";

const set = (path: string): WriteOperation => ({
  kind: "set",
  path: path as Path,
  data: new Uint8Array(1),
  condition: {},
});

function scene() {
  const fixture = start();
  const lane = fixture.open();
  const replies: string[] = [];
  const context = {
    lane,
    acting,
    identity: () => anyone,
    minZxid: zxid(0),
    backend: { cluster: () => assert.fail("nobody asks") },
    replies: {
      fill: ({ xid }: Slot, at: number, code: number) => replies.push(`${xid} ${code} ${at && at - zxid(0)}`),
    },
    close: (why: string) => replies.push(`closed: ${why}`),
  } as unknown as ConnectionContext;
  const opening = { attachment: 1, lastSequence: 0, timeoutMillis: 9000, servedBy: 1, zxid: zxid(6) };
  const calls = new LaneCalls(context, opening, 9000);
  const slot = (xid: number): Slot => ({ xid, holds: false, leaving: undefined });
  return {
    ...fixture,
    replies,
    put: (xid: number, path: string) => calls.write(set(path), slot(xid), toNothing),
    look: (xid: number) => calls.read({ kind: "get", path: "/r" as Path }, slot(xid), toNothing),
  };
}

describe("the numbers of writes", () => {
  it("are given once, though some that were given back are told of later", async () => {
    const f = scene();
    f.put(1, "/w/1");
    f.look(2);
    f.put(3, "/w/3");
    assert.deepEqual(f.home.take(), ["1 /w/1", "2 /w/3"]);
    // The replica's disk is nearly full; the read waits to be asked again, and with it what is behind it.
    f.refuse(1, "quotaExceeded");
    assert.deepEqual(f.replies.splice(0), ["1 -125 0"]);
    f.put(4, "/w/4");
    f.put(5, "/w/5");
    await fenced(f, 300);
    f.state(0, 2);
    assert.deepEqual(f.home.take().slice(-2), ["1 /w/4", "2 /w/5"]);
    f.reads.at(-1)?.answer(shown(50));
    assert.deepEqual(f.replies.splice(0), ["2 0 50", "3 -125 0"]);
    f.put(6, "/w/6");
    assert.deepEqual(f.home.take(), ["3 /w/6"]);
    for (const sequence of [1, 2, 3]) f.written(sequence);
    assert.deepEqual(f.replies, ["4 0 101", "5 0 102", "6 0 103"]);
  });
});
