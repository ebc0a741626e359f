import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseType } from "./accept.ts";

describe("content negotiation", () => {
  const offers = ["application/octet-stream", "application/json"];
  const table: readonly (readonly [string | undefined, string | undefined])[] = [
    [undefined, "application/octet-stream"],
    ["*/*", "application/octet-stream"],
    ["application/json", "application/json"],
    ["APPLICATION/JSON; charset=utf-8", "application/json"],
    ["application/*", "application/octet-stream"],
    ["application/json, */*", "application/json"],
    ["application/json;q=0.5, */*;q=0.9", "application/octet-stream"],
    ["application/json;q=0, */*", "application/octet-stream"],
    ["application/octet-stream;q=0, */*;q=0.1", "application/json"],
    ["text/html", undefined],
    ["*/*;q=0", undefined],
    ["application/json;q=nonsense", undefined],
  ];
  for (const [accept, expected] of table) {
    it(`${accept}`, () => assert.equal(chooseType(accept, offers), expected));
  }
});
