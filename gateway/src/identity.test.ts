import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { digestOf, Identities, Remembered } from "./identity.ts";

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString("base64")}`;
}

function idsOf(found: ReturnType<Identities["find"]>): readonly string[] {
  assert.ok(!("bad" in found), JSON.stringify(found));
  return found.ids.map((each) => `${each.scheme}:${each.id}`);
}

describe("identities", () => {
  it("are ZooKeeper's digests", () => {
    // The example of ZooKeeper's administrator's guide.
    assert.equal(digestOf("super", "admin"), "super:xQJmxLMiHGwaqBvst5y6rkB6HQs=");
  });

  const identities = new Identities({
    superUserDigest: digestOf("root", "toor"),
    trustedProxies: ["10.0.0.0/8", "::1"],
    remembered: 10,
  });

  it("are the digest and the peer", () => {
    const found = identities.find(basic("a:b:c"), "::ffff:192.0.2.1", undefined);
    assert.deepEqual(idsOf(found), [`digest:${digestOf("a", "b:c")}`, "ip:192.0.2.1"]);
    assert.ok(!("bad" in found) && !found.superUser);
  });

  it("know the super user, and a wrong password for another", () => {
    for (const [password, expected] of [
      ["toor", true],
      ["root", false],
    ] as const) {
      const found = identities.find(basic(`root:${password}`), "192.0.2.1", undefined);
      assert.ok(!("bad" in found));
      assert.equal(found.superUser, expected);
    }
  });

  it("believe X-Forwarded-For of trusted proxies alone, from the right", () => {
    const seen = (peer: string, forwarded: string): readonly string[] =>
      idsOf(identities.find(undefined, peer, forwarded));
    assert.deepEqual(seen("192.0.2.1", "198.51.100.7"), ["ip:192.0.2.1"]);
    assert.deepEqual(seen("10.1.1.1", "198.51.100.7"), ["ip:198.51.100.7"]);
    assert.deepEqual(seen("::1", "203.0.113.9, 198.51.100.7, 10.2.2.2"), ["ip:198.51.100.7"]);
    assert.deepEqual(seen("10.1.1.1", "10.3.3.3"), ["ip:10.3.3.3"]);
    assert.ok("bad" in identities.find(undefined, "10.1.1.1", "nobody"));
  });

  it("refuse what cannot be read", () => {
    for (const bad of ["", "Basic", "Basic !!", basic("nocolon"), basic(":p"), basic("a\u0000:b"), "Digest a"]) {
      assert.ok("bad" in identities.find(bad, "192.0.2.1", undefined), bad);
    }
    assert.ok(
      "bad" in identities.find(`Basic ${Buffer.from([0xff, 0x3a, 0x61]).toString("base64")}`, "::1", undefined),
    );
  });

  it("remember no more than they may", () => {
    const some = new Remembered<number>(2);
    for (let i = 0; i < 5; i++) some.set(String(i), i);
    assert.deepEqual([some.get("2"), some.get("3"), some.get("4")], [undefined, 3, 4]);
  });
});
