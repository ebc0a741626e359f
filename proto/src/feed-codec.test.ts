import assert from "node:assert/strict";
import { test } from "node:test";
import { type FeedChange, openAcl, type Path, type Zxid } from "@quorate/api";
import { feedLimits } from "./feed-codec.ts";
import { frameLimits } from "./frame.ts";
import { decodeToGateway, encodeToGateway } from "./gateway-codec.ts";

test("the largest transaction that is told fits into a message, and decodes", () => {
  const changes: FeedChange[] = [];
  for (let n = 0, bytes = 0; bytes < feedLimits.largestBytes && n < feedLimits.changes; n++) {
    const path = `/${String(n).padStart(800, "x")}` as Path;
    bytes += path.length;
    const zxid = (2 ** 32 + 1) as Zxid;
    changes.push({ zxid, type: "deleted", path, version: n, czxid: zxid, time: 1, kind: "ttl", acl: 0, parentAcl: 0 });
  }
  const bytes = encodeToGateway({ kind: "feed", through: 7 as Zxid, changes, acls: [openAcl], ended: [] });
  assert.ok(bytes.length < frameLimits.messageBytes);
  const feed = decodeToGateway(bytes);
  assert.ok(feed?.kind === "feed");
  assert.deepEqual(feed.changes, changes);
});
