import assert from "node:assert/strict";
import { test } from "node:test";
import { isInNetwork, isNetwork } from "./ip-match.ts";
import { type Acl, anyone, type Identity, openAcl, permissions } from "./node.ts";
import { permits } from "./rights.ts";

test("addresses and networks", () => {
  const rows: [string, string, boolean][] = [
    ["10.0.0.7", "10.0.0.7", true],
    ["10.0.0.7", "10.0.0.0/29", true],
    ["10.0.0.8", "10.0.0.0/29", false],
    ["::ffff:10.0.0.7", "10.0.0.0/8", true],
    ["2001:db8::1", "2001:db8::/32", true],
    ["2001:db9::1", "2001:db8::/32", false],
    ["1.2.3.4", "0.0.0.0/0", true],
  ];
  for (const [address, network, inside] of rows)
    assert.equal(isInNetwork(address, network), inside, `${address} ${network}`);
  for (const bad of ["", "1.2.3", "1.2.3.256", "1::2::3", "1.2.3.4/", "::/129", "x"])
    assert.equal(isNetwork(bad), false, bad);
});

test("a list permits whom an entry names, for what it names; the super user all", () => {
  const of = (...ids: [string, string][]): Identity => {
    return { ids: ids.map(([scheme, id]) => ({ scheme, id })), superUser: false };
  };
  const { read, write, admin } = permissions;
  const acl: Acl = [
    { scheme: "world", id: "anyone", perms: read },
    { scheme: "digest", id: "ann:x", perms: write },
    { scheme: "ip", id: "10.0.0.0/8", perms: admin },
  ];
  const rows: [Identity, number, boolean][] = [
    [anyone, read, true],
    [anyone, write, false],
    [of(["digest", "ann:x"]), write, true],
    [of(["digest", "ann:x"]), admin, false],
    [of(["digest", "bob:x"], ["ip", "ann:x"]), write, false],
    [of(["digest", "bob:x"], ["ip", "10.1.2.3"]), admin, true],
    [of(["ip", "11.1.2.3"]), read | admin, true],
    [of(["ip", "11.1.2.3"]), write | admin, false],
    [{ ids: [], superUser: true }, admin, true],
  ];
  for (const [identity, perms, may] of rows) assert.equal(permits(acl, identity, perms), may);
  assert.equal(permits([], anyone, read), false);
  assert.equal(permits(openAcl, anyone, permissions.all), true);
});
