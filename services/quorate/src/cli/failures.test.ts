/** One line for each failure, its way out, and its exit code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { errors } from "@quorate/api";
import { formatAclEntry, isOpen, parseAclEntry } from "./acl-text.ts";
import { drawing } from "./commands/tree.ts";
import { dataJson, isPrintable, textOf } from "./data.ts";
import { exitCodes, exitOfCode } from "./exit-codes.ts";
import { CommandError, fileFault, GatewayFailure, Interrupted, tell, UsageError } from "./failures.ts";
import { below, isSystem, pathOf, under } from "./paths.ts";

function failure(code: keyof typeof errors, detail: string, certainty = errors[code].certainty) {
  return new GatewayFailure({ code, detail, certainty });
}

test("a failure is a line, with its code, and a hint for a shell instead of one for HTTP", () => {
  assert.deepEqual(tell(failure("noNode", "there is no znode /x"), "get /x"), {
    exit: 3,
    line: "get /x: there is no znode /x (noNode)",
    hint: undefined,
  });
  const noParent = failure("noParent", "the parent /a does not exist; create it first, or add ?parents=true");
  assert.deepEqual(tell(noParent, "put /a/b"), {
    exit: 4,
    line: "put /a/b: the parent /a does not exist (noParent)",
    hint: "--parents makes it",
  });
  assert.equal(
    tell(failure("badVersion", "/a: the mzxid is 0x2"), "put /a").line,
    "put /a: the mzxid is 0x2 (badVersion)",
  );
  assert.match(
    tell(failure("notEmpty", "it has children; add ?recursive=true"), "rm /a").line ?? "",
    /add --recursive/,
  );
});

test("what may have been done is told", () => {
  const lost = tell(failure("connectionLoss", "http://h:1: socket hang up"), "put /a");
  assert.deepEqual(
    [lost.exit, lost.line],
    [5, "put /a: http://h:1: socket hang up (connectionLoss; it may have been done)"],
  );
  const never = tell(failure("connectionLoss", "http://h:1: connect ECONNREFUSED", "noEffect"), "put /a");
  assert.match(never.hint ?? "", /--endpoint/);
  assert.doesNotMatch(never.line ?? "", /may have been done/);
});

test("of what only reads nothing can have been done", () => {
  const lost = failure("connectionLoss", "http://h:1: other side closed");
  assert.deepEqual(tell(lost, "get /a", true).line, "get /a: http://h:1: other side closed (connectionLoss)");
  assert.match(tell(lost, "get /a", true).hint ?? "", /--endpoint/);
  assert.match(tell(lost, "put /a").hint ?? "", /cluster status/);
  const again = failure("noLeader", "no replica can do it now (an earlier try may have had an effect)", "unknown");
  assert.equal(tell(again, "put /a").line, "put /a: no replica can do it now (noLeader; it may have been done)");
});

test("a file that cannot be read, and a session's secret, are told in a shell's words", () => {
  const none = Object.assign(new Error("ENOENT: no such file or directory, open 'x'"), { code: "ENOENT" });
  assert.deepEqual(tell(fileFault("x", none), "txn"), { exit: 2, line: "txn: x does not exist", hint: undefined });
  const wrong = failure(
    "authFailed",
    "the session's secret is wrong; send Quorate-Session: <id>:<secret> as it was given",
  );
  assert.equal(
    tell(wrong, "session show").line,
    "session show: the session's secret is wrong; give ID:SECRET as `quorate session open` printed it (authFailed)",
  );
});

test("a txn says which operation", () => {
  const op = { in: "then", index: 2 };
  const error = new GatewayFailure({ code: "noNode", detail: "there is no znode /x", certainty: "noEffect", op });
  assert.equal(tell(error, "txn").line, "txn: there is no znode /x in then[2] (noNode)");
});

test("commands, usage and signals end with their codes", () => {
  assert.deepEqual(tell(new UsageError("PATH is missing", "quorate get PATH"), "get"), {
    exit: 2,
    line: "get: PATH is missing",
    hint: "quorate get PATH",
  });
  assert.equal(tell(new CommandError("waited", "not got"), "lock /a").exit, 8);
  assert.deepEqual(tell(new Interrupted("SIGINT"), "watch"), { exit: 130 });
  assert.deepEqual(tell(new Interrupted("SIGTERM"), "watch"), { exit: 143 });
  assert.equal(tell(new Error("?"), "get").exit, 1);
});

test("each code of the table has an exit code, and no two exits share one", () => {
  for (const code of Object.keys(errors)) assert.ok(Object.hasOwn(exitOfCode, code), code);
  const codes = Object.values(exitCodes).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test("paths as people type them", () => {
  assert.equal(pathOf("/app/"), "/app");
  assert.equal(pathOf("/"), "/");
  assert.throws(() => pathOf("app"), UsageError);
  assert.equal(below("/a", "/a/b/c"), "/b/c");
  assert.equal(below("/a", "/ab"), undefined);
  assert.equal(below("/", "/a"), "/a");
  assert.equal(below("/a", "/a"), "");
  assert.equal(under("/x", "/b"), "/x/b");
  assert.equal(under("/", "/b"), "/b");
  assert.equal(under("/x", ""), "/x");
  assert.deepEqual([isSystem("/zookeeper/quota"), isSystem("/zookeepers")], [true, false]);
});

test("ACL entries, whose id may have colons", () => {
  for (const text of [
    "world:anyone:r",
    "auth::cdrwa",
    "digest:anna:lK75jTNcA+U9vtVEw5vB51mj/w4=:rw",
    "ip:2001:db8::/32:r",
  ])
    assert.equal(formatAclEntry(parseAclEntry(text)), text);
  for (const bad of ["world:anyone", "world:anyone:x", ":a:r", "", "r"])
    assert.throws(() => parseAclEntry(bad), UsageError);
  assert.equal(isOpen([{ scheme: "world", id: "anyone", perms: "rwadc" }]), true);
  assert.equal(isOpen([{ scheme: "world", id: "anyone", perms: "rwad" }]), false);
});

test("bytes are text where they are that, byte for byte", () => {
  assert.equal(textOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\ufeffa");
  assert.equal(textOf(Uint8Array.of(0xff)), undefined);
  assert.deepEqual(dataJson(Uint8Array.of(0xff, 0)), { data: "/wA=", encoding: "base64" });
  assert.equal(isPrintable("a\tb\r\nc\n"), true);
  assert.equal(isPrintable("a\u001b[2J"), false);
});

test("a tree is drawn with its lines", () => {
  const leaf = (name: string) => ({ name, about: "", children: [] });
  const root = {
    name: "/",
    about: "",
    children: [{ name: "a", about: "", children: [leaf("b"), leaf("c")] }, leaf("d")],
  };
  assert.deepEqual(
    [...drawing(root)].map(([lead, { name }]) => lead + name),
    ["/", "├── a", "│   ├── b", "│   └── c", "└── d"],
  );
});
