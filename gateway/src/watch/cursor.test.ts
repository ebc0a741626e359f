import assert from "node:assert/strict";
import { it } from "node:test";
import { composeZxid } from "@quorate/api";
import { formatCursor, isBadCursor, parseCursor } from "./cursor.ts";

const zxid = composeZxid(2, 0x17);

it("writes and reads a cursor", () => {
  const cursor = { zxid, history: "4a91e37371a4b3c6" };
  assert.equal(formatCursor(cursor), "0x0000000200000017.4a91e37371a4b3c6");
  assert.deepEqual(parseCursor(formatCursor(cursor)), cursor);
  assert.deepEqual(parseCursor("0x200000017.4A91E37371A4B3C6"), cursor);
});

it("takes a bare zxid, of no history", () => {
  assert.equal(formatCursor({ zxid }), "0x0000000200000017");
  assert.deepEqual(parseCursor("0x0000000200000017"), { zxid });
  assert.deepEqual(parseCursor("0x0"), { zxid: 0 });
});

it("says what is wrong with anything else", () => {
  const zxidFaults = ["", "12", "0x", "0xg", ".4a91e37371a4b3c6", "0x00000000000000001", " 0x1"];
  for (const text of zxidFaults) {
    const read = parseCursor(text);
    assert.ok(
      isBadCursor(read) && read.bad.endsWith("is no cursor; send one as it was given, or the zxid of an answer"),
      text,
    );
  }
  for (const text of ["0xffffffffffffffff", "0xffffffffffffffff.4a91e37371a4b3c6"]) {
    const read = parseCursor(text);
    assert.ok(isBadCursor(read) && read.bad.includes("beyond what a zxid can be"), text);
  }
  const historyFaults = [
    "",
    "4a91e37371a4b3c",
    "4a91e37371a4b3c60",
    "4a91e37371a4b3cg",
    "4a91e37371a4b3c6.",
    "é".repeat(99),
  ];
  for (const text of historyFaults) {
    const read = parseCursor(`0x1.${text}`);
    assert.ok(isBadCursor(read) && read.bad.includes("is no cursor") && read.bad.length < 200, text);
  }
});
