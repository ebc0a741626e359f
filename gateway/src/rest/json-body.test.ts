import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { RequestFault } from "./fault.ts";
import { readJson } from "./json-body.ts";

describe("strict JSON", () => {
  it("takes what JSON.parse takes, as it takes it", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(readJson(Buffer.from(text)), JSON.parse(text));
      }),
    );
  });

  it("refuses any key that stands twice in its object, wherever that is", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue({ maxDepth: 2 }), fc.nat(3), (key, value, depth) => {
        const pair = `${JSON.stringify(key)}:${JSON.stringify(value)}`;
        const text = `{"o":${"[".repeat(depth)}{${pair},${pair}}${"]".repeat(depth)}}`;
        assert.throws(() => readJson(Buffer.from(text)), RequestFault);
      }),
    );
  });

  it("never throws anything but a fault of the request", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, text) => {
        for (const body of [Buffer.from(bytes), Buffer.from(text), Buffer.from(`{${text}`)]) {
          try {
            readJson(body);
          } catch (fault) {
            assert.ok(fault instanceof RequestFault, String(fault));
          }
        }
      }),
    );
  });
});
