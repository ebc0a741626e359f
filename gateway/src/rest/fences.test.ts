/** `Quorate-Fenced` is read strictly: what is wrong is said by its part, its fault and the way out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Path, Zxid } from "@quorate/api";
import fc from "fast-check";
import { RequestFault } from "./fault.ts";
import { readFences } from "./fences.ts";

const token = "0x0000000100000009";
const nine = 4_294_967_305 as Zxid;

describe("Quorate-Fenced", () => {
  const good: readonly (readonly [string, readonly string[]])[] = [
    [`app/migrate=${token}`, ["/app/migrate"]],
    [`/app/migrate=${token}`, ["/app/migrate"]],
    ["a=0x100000009", ["/a"]],
    [` a = ${token} ,\tb=${token}`, ["/a", "/b"]],
    [`a%3Db%2Cc%25=${token}`, ["/a=b,c%"]],
    [`%E5%90%8D/%C3%A4=${token}`, ["/名/ä"]],
    [`a%2Fb=${token}`, ["/a/b"]],
    [Array.from({ length: 10 }, (_, i) => `l${i}=${token}`).join(","), Array.from({ length: 10 }, (_, i) => `/l${i}`)],
  ];
  for (const [text, paths] of good) {
    it(`takes ${text.slice(0, 60)}`, () => {
      assert.deepEqual(
        readFences(text),
        paths.map((path) => ({ path: path as Path, token: nine })),
      );
    });
  }

  const wrong: readonly (readonly [string, RegExp])[] = [
    ["", /^Quorate-Fenced: it is empty; write name=token, such as app\/migrate=0x/],
    [`a=${token},`, /^Quorate-Fenced, part 2: it is empty; write name=token/],
    ["app/migrate", /has no token; write name=token/],
    [`a=b=${token}`, /more than one =; in a name write it as %3D/],
    [`a=${token}=`, /more than one =/],
    [`b=${token}, a=7`, /^Quorate-Fenced, part 2, token: "7" is no zxid; write 0x/],
    ["a=", /^Quorate-Fenced, token: "" is no zxid/],
    ["a=0x0", /never was one/],
    ["a=0xffffffffffffffff", /is no zxid/],
    [`=${token}`, /the lock's name is missing/],
    [`/=${token}`, /the root is no lock's name/],
    [`%2F=${token}`, /the root is no lock's name/],
    [`//a=${token}`, /^Quorate-Fenced: /],
    [`a/=${token}`, /^Quorate-Fenced: /],
    [`a/../b=${token}`, /^Quorate-Fenced: /],
    [`a b=${token}`, /percent-encoded/],
    [`ä=${token}`, /characters that a header cannot have; write them percent-encoded/],
    [`%zz=${token}`, /no percent-encoded UTF-8/],
    [`%ff=${token}`, /no percent-encoded UTF-8/],
    [Array(11).fill(`a=${token}`).join(), /11 fences are more than the 10/],
  ];
  for (const [text, why] of wrong) {
    it(`refuses ${JSON.stringify(text).slice(0, 60)}`, () => {
      assert.throws(
        () => readFences(text),
        (fault) => {
          assert.ok(fault instanceof RequestFault && fault.code === "badArguments");
          assert.match(fault.message, why);
          return true;
        },
      );
    });
  }

  it("throws nothing else, whatever stands there", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.stringMatching(/^[a%=,x0 /]*$/)), (text) => {
        try {
          for (const { path, token: read } of readFences(text)) assert.ok(path.startsWith("/") && read > 0);
        } catch (fault) {
          if (!(fault instanceof RequestFault)) throw fault;
        }
      }),
    );
  });
});
