/** The reference is whole, leads nowhere that is not there, and needs nothing from elsewhere. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { errors, httpErrors } from "@quorate/api";
import { routes } from "@quorate/gateway";
import { WatchDoor } from "./watch-door.ts";

describe("the reference", () => {
  const door = new WatchDoor();
  before(() => door.listen());
  after(() => door.stop());

  async function page(path: string): Promise<{ text: string; headers: Headers }> {
    const response = await fetch(`${door.base}${path}`, { headers: { Accept: "text/html" } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    return { text: await response.text(), headers: response.headers };
  }

  const ids = (text: string): string[] => [...text.matchAll(/ id="([^"]+)"/g)].map((each) => each[1] as string);
  const links = (text: string): string[] => [...text.matchAll(/ href="([^"]+)"/g)].map((each) => each[1] as string);

  it("has every operation, and every error under the anchor that problems name", async () => {
    const operations = ids((await page("/docs")).text);
    for (const { operationId } of routes) assert.ok(operations.includes(operationId), operationId);
    const codes = ids((await page("/docs/errors")).text);
    for (const code of [...Object.keys(errors), ...Object.keys(httpErrors)]) assert.ok(codes.includes(code), code);
    for (const all of [operations, codes]) assert.equal(new Set(all).size, all.length, "no anchor twice");
  });

  it("says of a watch what it can be and what it cannot", async () => {
    const { text } = await page("/docs");
    const section = (id: string): string =>
      new RegExp(`<section[^>]* id="${id}">[\\s\\S]*?</section>`).exec(text)?.[0] ?? "";
    const watch = section("watch");
    assert.match(watch, /curl -N .*text\/event-stream/);
    assert.match(watch, /after=0x[0-9a-f]+&amp;wait=30s/);
    assert.match(watch, /<code>wait<\/code>.*default <code>&quot;30s&quot;<\/code>/);
    assert.doesNotMatch(watch, /#(pageTooOld|invalidAcl|quotaExceeded)"/);
    assert.match(watch, /#cursorTooOld"/);
    const line = section("schema-WatchLine");
    assert.doesNotMatch(line, /anything/);
    assert.match(line, /#schema-WatchEvent"[\s\S]*<code>cursor<\/code>[\s\S]*#schema-WatchState"/);
  });

  it("stacks its tables where there is no room for columns", async () => {
    const narrow = /@media \(max-width: 40rem\) \{([\s\S]*?)\n\}/.exec((await page("/docs")).text)?.[1] ?? "";
    assert.match(narrow, /table, tbody, tr, td \{ display: block; \}/);
  });

  it("has no link that leads nowhere", async () => {
    const anchors = new Map<string, string[]>();
    for (const path of ["/docs", "/docs/errors"]) anchors.set(path, ids((await page(path)).text));
    for (const path of ["/docs", "/docs/errors"]) {
      for (const link of new Set(links((await page(path)).text))) {
        if (link.startsWith("data:")) continue;
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : file;
        if (anchor !== undefined) assert.ok(anchors.get(target)?.includes(anchor), `${link} on ${path}`);
        else
          assert.ok(
            routes.some((each) => each.pattern === target),
            `${link} on ${path}`,
          );
      }
    }
  });

  it("loads nothing, runs nothing, and the policy says so", async () => {
    for (const path of ["/docs", "/docs/errors"]) {
      const { text, headers } = await page(path);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; /);
      assert.doesNotMatch(policy, /unsafe|https?:/);
      assert.doesNotMatch(text, /<script|<iframe|<img| on[a-z]+=| style=|src=|@import|url\(/);
      const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? "";
      assert.ok(policy.includes(`'sha256-${createHash("sha256").update(style).digest("base64")}'`));
    }
  });

  it("is 406 for who takes no HTML", async () => {
    const response = await fetch(`${door.base}/docs`, { headers: { Accept: "application/json" } });
    assert.equal(response.status, 406);
    await response.text();
  });
});
