/** The laws of STYLE.md, over the repository; and each law over a made-up source that breaks it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deadFileLaw } from "./dead-file-law.ts";
import { importLaw } from "./import-law.ts";
import { lockLaw, packageLaw } from "./package-law.ts";
import { purityLaw, shellExceptions } from "./purity-law.ts";
import { sizeLaw } from "./size-law.ts";
import { readSources, type Source, type Violation } from "./sources.ts";
import { textLaw } from "./text-law.ts";

type Law = (sources: readonly Source[]) => Violation[];

const repository = readSources();
const lock = repository.find(({ path }) => path === "package-lock.json");

function keeps(law: Law): void {
  const lines = law(repository).map(({ path, line, what }) => `${path}:${line}: ${what}`);
  assert.deepEqual(lines, []);
}

/** `law` finds what is wrong with `text`, were it at `path`, and says it in words that `what` matches. */
function refuses(law: Law, path: string, text: string, what: RegExp): void {
  const found = law([{ path, text }]);
  assert.ok(
    found.some((each) => what.test(each.what)),
    `${path}: ${text}\nwas let through: ${JSON.stringify(found)}`,
  );
}

function allows(law: Law, path: string, text: string): void {
  assert.deepEqual(law([{ path, text }]), [], `${path}: ${text}`);
}

test("the laws look at the whole repository", () => {
  for (const path of [
    "api/src/index.ts",
    "services/zab/src/peer.ts",
    "gateway/src/rest/server.ts",
    "test/run.ts",
    "README.md",
  ]) {
    assert.ok(
      repository.some((source) => source.path === path),
      path,
    );
  }
  assert.ok(lock);
  assert.ok(!repository.some(({ path }) => path.includes("node_modules/")));
});

test("imports keep to the table", () => keeps(importLaw));

test("an import through a wall is found", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["api/src/x.ts", 'import { x } from "@quorate/zab";', /api may not import services\/zab/],
    ["api/src/x.ts", 'import { join } from "node:path";', /may not import node:path/],
    ["services/zab/src/x.ts", 'import { Tree } from "@quorate/tree";', /may not import services\/tree/],
    ["services/zab/src/x.ts", 'const x = await import("node:fs");', /may not import node:fs/],
    ["services/tree/src/x.ts", 'export { x } from "@quorate/zab";', /may not import services\/zab/],
    ["services/tree/src/x.test.ts", 'import { x } from "@quorate/zab";', /not even its tests/],
    [
      "services/tree/src/x.ts",
      'import type { x } from "../../zab/src/peer.ts";',
      /goes around the face of services\/zab/,
    ],
    ["services/tree/src/x.ts", 'let x: import("@quorate/zab").Peer;', /may not import services\/zab/],
    ["api/client/src/x.ts", 'import { x } from "@quorate/gateway";', /api\/client may not import gateway/],
    ["api/client/src/x.ts", 'import { document } from "@quorate/openapi";', /types of openapi alone/],
    ["api/client/src/x.ts", 'import { x } from "../../src/zxid.ts";', /goes around the face of api/],
    ["api/client/src/rest/x.ts", 'import { Client } from "@grpc/grpc-js";', /may not import @grpc/],
    ["api/src/x.ts", 'import { x } from "@quorate/client";', /api may not import api\/client/],
    ["gateway/src/x.ts", 'import { x } from "@quorate/client";', /may not import api\/client/],
    ["proto/src/x.ts", 'import { x } from "@quorate/replica";', /may not import services\/replica/],
    ["proto/src/x.ts", 'import { Client } from "@grpc/grpc-js";', /may not import @grpc\/grpc-js/],
    ["services/replica/src/x.ts", 'import { x } from "@quorate/gateway";', /may not import gateway/],
    ["services/replica/src/x.ts", 'import { readFileSync } from "node:fs";', /may not import node:fs/],
    ["services/replica/src/x.ts", 'import { Server } from "@grpc/grpc-js";', /may not import @grpc/],
    ["gateway/src/x.ts", 'import { x } from "@quorate/replica";', /may not import services\/replica/],
    ["gateway/src/x.ts", 'import express from "express";', /may not import express/],
    ["gateway/src/rest/x.ts", 'import { randomBytes } from "node:crypto";', /is randomness/],
    ["gateway/src/rest/x.ts", 'import * as crypto from "node:crypto";', /name what you take/],
    ["gateway/src/rest/x.ts", 'import { x } from "../grpc/server.ts";', /rest door imports the grpc door/],
    ["gateway/src/rest/x.ts", 'import { ReplicaLink } from "../replica-link.ts";', /not the link behind it/],
    ["gateway/src/x.ts", 'import { x } from "./model.test-support.ts";', /for tests only/],
    ["services/quorate/src/x.ts", 'import { x } from "@quorate/test";', /nobody imports test/],
    ["services/quorate/src/x.ts", 'import { x } from "../../../test/arbitraries.ts";', /nobody imports test/],
    ["services/quorate/src/x.ts", 'import { x } from "@quorate/zab/src/peer.ts";', /goes around the face/],
    ["services/quorate/src/x.ts", 'import { x } from "left-pad";', /may not import left-pad/],
    ["services/quorate/src/x.ts", 'import { x } from "@quorate/nothing";', /there is no/],
    ["services/quorate/src/cli/x.ts", 'import { x } from "@quorate/gateway";', /may not import gateway/],
    ["services/quorate/src/cli/x.ts", 'import { x } from "../settings.ts";', /goes around the face/],
    ["services/quorate/src/cli/x.ts", 'import { x } from "@quorate/client/grpc";', /goes around the face/],
    ["services/quorate/src/x.ts", 'import { x } from "./cli/parse.ts";', /goes around the face/],
    ["test/x.ts", 'import { join } from "path";', /write node:path/],
  ];
  for (const [path, text, what] of cases) refuses(importLaw, path, text, what);
});

test("an import that the table has is let through", () => {
  allows(importLaw, "services/zab/src/x.ts", 'import { assert } from "@quorate/api";');
  allows(importLaw, "api/client/src/x.ts", 'import type { components } from "@quorate/openapi";');
  allows(importLaw, "services/quorate/src/cli/x.ts", 'import { RestClient } from "@quorate/client/rest";');
  allows(importLaw, "services/quorate/src/x.ts", 'import { runCommandLine } from "./cli/cli.ts";');
  allows(importLaw, "services/replica/src/world-node.ts", 'import { randomBytes } from "node:crypto";');
  allows(importLaw, "gateway/src/rest/x.ts", 'import { createHash } from "node:crypto";');
  allows(importLaw, "api/src/x.test.ts", 'import { x } from "../../test/arbitraries.ts";');
  allows(importLaw, "test/x.ts", 'import { x } from "../gateway/src/replica-link.ts";');
});

test("clocks, randomness and promises stay out of where they do not belong", () => keeps(purityLaw));

test("an impure line in a pure room is found", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["const x = Date.now();", /Date/],
    ["const x = new Date(5);", /Date/],
    ["const x = Math.random();", /Math\.random/],
    ["const { random } = globalThis.Math;", /globalThis/],
    ["async function x() {}", /async/],
    ["const x = () => Promise.resolve(1);", /Promise/],
    ["let x: Promise<void>;", /Promise/],
    ["const x = new WeakRef({});", /WeakRef/],
    ['const x = "a".localeCompare("b");', /localeCompare/],
    ["const x = new Intl.Collator();", /Intl/],
    ['const x = eval("1");', /eval/],
  ];
  for (const room of ["api", "services/zab", "services/tree"]) {
    for (const [text, what] of cases) refuses(purityLaw, `${room}/src/x.ts`, text, what);
  }
  allows(purityLaw, "services/zab/src/x.ts", "const x = { Date: 1 }; const y = x.Date; const z = Math.max(1, 2);");
  allows(purityLaw, "services/zab/src/x.test.ts", "const x = Math.random();");
});

test("a clock, timer or randomness of a shell's own is found", () => {
  for (const room of ["services/replica", "gateway", "proto"]) {
    refuses(purityLaw, `${room}/src/x.ts`, "setTimeout(() => {}, 5);", /setTimeout/);
    refuses(purityLaw, `${room}/src/x.ts`, "const x = performance.now();", /performance/);
    refuses(purityLaw, `${room}/src/x.ts`, "const x = new Date();", /clock/);
    refuses(purityLaw, `${room}/src/x.ts`, "const x = Date.now();", /clock/);
    refuses(purityLaw, `${room}/src/x.ts`, "const x = Math.random();", /randomness/);
    refuses(purityLaw, `${room}/src/x.ts`, "const x = process.hrtime();", /clock/);
    allows(purityLaw, `${room}/src/x.ts`, "const x = new Date(5).toISOString(); clock.setTimeout(1);");
  }
  for (const path of shellExceptions.keys())
    assert.ok(
      repository.some((source) => source.path === path),
      `${path} is gone`,
    );
});

test("files and functions are short", () => keeps(sizeLaw));

test("a long file and a long function are found", () => {
  const lines = (count: number): string => "  x();\n".repeat(count);
  refuses(sizeLaw, "api/src/x.ts", lines(401), /401 lines: a file/);
  allows(sizeLaw, "api/src/x.ts", lines(400));
  allows(sizeLaw, "openapi/src/gen/x.ts", lines(401));
  refuses(sizeLaw, "api/src/x.ts", `function x() {\n${lines(59)}}`, /61 lines: a function/);
  refuses(sizeLaw, "api/src/x.ts", `const x = () => {\n${lines(59)}};`, /61 lines: a function/);
  refuses(sizeLaw, "api/src/x.ts", `class X {\n  y() {\n${lines(59)}  }\n}`, /61 lines: a function/);
  refuses(sizeLaw, "api/src/x.ts", `class X {\n  constructor() {\n${lines(59)}  }\n}`, /61 lines: a function/);
  allows(sizeLaw, "api/src/x.ts", `function x() {\n${lines(58)}}`);
  allows(sizeLaw, "api/src/x.ts", `describe("x", () => {\n${lines(80)}});`);
});

test("every file is used", () => keeps(deadFileLaw));

test("a file that nobody uses is found", () => {
  const dead = { path: "api/src/x.ts", text: "export const x = 1;" };
  refuses(deadFileLaw, dead.path, dead.text, /nobody imports it/);
  const user = { path: "api/src/y.test.ts", text: 'import { x } from "./x.ts";' };
  assert.deepEqual(deadFileLaw([dead, user]), []);
  const starter = { path: "api/src/y.test.ts", text: 'const x = join(here, "x.ts");' };
  assert.deepEqual(deadFileLaw([dead, starter]), []);
  const face = { path: "api/package.json", text: '{"exports": {".": "./src/x.ts"}}' };
  assert.deepEqual(deadFileLaw([dead, face]), []);
});

test("each package.json names what is imported", () => keeps(packageLaw));

test("a dependency that is missing, or that nobody needs, is found", () => {
  const source = { path: "proto/src/x.ts", text: 'import { x } from "@quorate/api";' };
  const named = { path: "proto/package.json", text: '{"dependencies": {"@quorate/api": "*"}}' };
  const unnamed = { path: "proto/package.json", text: '{"devDependencies": {"@quorate/api": "*"}}' };
  assert.deepEqual(packageLaw([source, named]), []);
  assert.match(packageLaw([source, unnamed])[0]?.what ?? "", /does not name @quorate\/api/);
  const inside = { path: "api/client/src/x.ts", text: 'import { x } from "@quorate/proto";' };
  const outer = { path: "api/package.json", text: "{}" };
  const inner = { path: "api/client/package.json", text: '{"dependencies": {"@quorate/proto": "*"}}' };
  assert.deepEqual(packageLaw([inside, outer, inner]), []);
  refuses(packageLaw, "proto/package.json", '{"dependencies": {"left-pad": "1"}}', /nothing imports left-pad/);
});

test("package-lock.json names no registry's host and has a checksum for each package", () => {
  assert.ok(lock);
  assert.deepEqual(lockLaw(lock), []);
  const locked = (text: string): Violation[] => lockLaw({ path: "package-lock.json", text });
  assert.match(
    locked('{"packages": {"node_modules/x": {"integrity": "sha512-x", "resolved": "https://x.example/x.tgz"}}}')[0]
      ?.what ?? "",
    /is bound to https/,
  );
  assert.match(locked('{"packages": {"node_modules/x": {"version": "1.0.0"}}}')[0]?.what ?? "", /no checksum/);
  assert.deepEqual(locked('{"packages": {"node_modules/x": {"resolved": "api", "link": true}}}'), []);
});

test("no promise without an issue, no path of somebody's machine", () => keeps(textLaw));

test("words that do not belong are found", () => {
  const open = "TO" + "DO";
  refuses(textLaw, "api/src/x.ts", `// ${open}: later`, /needs its issue/);
  allows(textLaw, "api/src/x.ts", `// ${open}(#12): later`);
  refuses(textLaw, "README.md", `cd ${"/ho"}me/somebody/project`, /path of one machine/);
  refuses(textLaw, "api/src/x.ts", `const x = "${"/Us"}ers/somebody/x";`, /path of one machine/);
  refuses(textLaw, "api/src/x.ts", `import("${"/ro"}ot/x.ts")`, /path of one machine/);
  refuses(textLaw, "api/src/x.ts", `read("${"/wo"}rk/x.ts")`, /path of one machine/);
  allows(textLaw, "api/src/x.ts", "GET /v1/znodes/home/x and app/work/x");
});
