import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader, ByteWriter } from "./bytes.ts";
import { limits } from "./limits.ts";
import { readName, readPath, readPrefix } from "./node-codec.ts";
import { isBadPath, parsePath, parseSequentialPrefix } from "./path.ts";

function roundTrip(text: string, read: (r: ByteReader) => string): string | undefined {
  const w = new ByteWriter();
  w.string(text);
  const r = new ByteReader(w.finish());
  const back = read(r);
  return r.finished ? back : undefined;
}

/** Texts near the rules' edges: what the quick pass over the bytes and `parsePath` could see differently. */
const pieces = [
  "/",
  "/",
  "/",
  ".",
  "..",
  "a",
  "b0",
  "-",
  "\u0000",
  "\u001f",
  " ",
  "~",
  "\u007f",
  "\u009f",
  "\u00a0",
  "é",
  "\ue000",
  "\uffef",
  "\uffff",
  "𝄞",
];
const texts = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((each) => each.join("")),
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((each) => `/${each.join("")}`),
);

test("paths from bytes are judged as parsePath judges them", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const path = parsePath(text);
      assert.equal(roundTrip(text, readPath), isBadPath(path) ? undefined : path);
      const prefix = parseSequentialPrefix(text);
      assert.equal(roundTrip(text, readPrefix), isBadPath(prefix) ? undefined : prefix);
    }),
    { numRuns: 20_000 },
  );
});

test("a path's length is counted in bytes", () => {
  const longest = `/${"a".repeat(limits.pathBytes - 1)}`;
  assert.equal(roundTrip(longest, readPath), longest);
  assert.equal(roundTrip(`${longest}a`, readPath), undefined);
  const wide = `/${"é".repeat(limits.pathBytes / 2 - 1)}a`;
  assert.equal(roundTrip(wide, readPath), wide);
  assert.equal(roundTrip(`${wide}a`, readPath), undefined);
});

test("a name is one legal segment", () => {
  for (const good of ["a", "a.b", "..a", "é", " "]) assert.equal(roundTrip(good, readName), good);
  for (const bad of ["", ".", "..", "a/b", "/", "a/", "\u0000"]) assert.equal(roundTrip(bad, readName), undefined);
});

test("names from bytes are judged as the last part of a path is", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const good = text !== "" && !text.includes("/") && !isBadPath(parsePath(`/${text}`));
      assert.equal(roundTrip(text, readName), good ? text : undefined);
    }),
    { numRuns: 20_000 },
  );
  const longest = "a".repeat(limits.pathBytes - 1);
  assert.equal(roundTrip(longest, readName), longest);
  assert.equal(roundTrip(`${longest}a`, readName), undefined);
});

test("ASCII of every length comes back", () => {
  for (let length = 1; length < 300; length++) {
    const text = Array.from({ length }, (_, at) => String.fromCharCode(33 + (at % 90)))
      .join("")
      .replaceAll("/", "_")
      .replaceAll(".", "_");
    assert.equal(roundTrip(text, readName), text);
  }
});
