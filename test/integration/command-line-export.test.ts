/** A subtree of ten thousand znodes leaves one place and comes in at another as it was, byte for byte. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { RestClient, type TxnOperation } from "@quorate/client";
import { CommandLine } from "./command-line-kit.ts";
import { Ensemble, superUser } from "./ensemble.ts";

let ensemble: Ensemble;
let quorate: CommandLine;
let client: RestClient;
let folder = "";
const asSuper = { env: { QUORATE_USER: `${superUser.user}:${superUser.password}` } };
const anna = { env: { QUORATE_USER: "anna:pw" } };

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-cli-"));
  ensemble = await Ensemble.start();
  quorate = new CommandLine([ensemble.gateway.base]);
  client = new RestClient({
    endpoints: [ensemble.gateway.base],
    credentials: { user: "anna", password: "pw" },
    timeoutMillis: 30_000,
  });
});
after(async () => {
  await client?.close();
  quorate?.stop();
  await ensemble?.stop();
  await rm(folder, { recursive: true, force: true });
});

const odd: readonly Uint8Array[] = [
  Buffer.from("\ufeffwith a mark of byte order"),
  Buffer.from('é 日本語 \u2028 \u0000 " \\ \r\n'),
  Buffer.alloc(0),
  Buffer.of(0xff, 0xfe, 0),
];

async function fill(root: string, branches: number): Promise<number> {
  await client.create(root, "the root");
  let count = 1;
  for (let branch = 0; branch < branches; branch++) {
    const path = `${root}/b${branch}`;
    const then: TxnOperation[] = [{ op: "create", path, data: `branch ${branch}` }];
    for (let leaf = 0; leaf < 499; leaf++) {
      const data = leaf < odd.length ? (odd[leaf] ?? "") : leaf % 5 === 0 ? randomBytes(leaf) : `${branch} ${leaf}`;
      then.push({ op: "create", path: `${path}/日${leaf}`, data });
    }
    await client.txn({ then });
    count += then.length;
  }
  await client.create(`${root}/large`, randomBytes(1_048_575));
  await client.create(`${root}/ttl`, "t", { ttlMillis: 3_600_000 });
  await client.create(`${root}/container`, "c", { container: true });
  // Anna's alone; its child could not be made if its parent's list came first.
  await client.create(`${root}/closed`, "mine");
  await client.create(`${root}/closed/child`, "too", { acl: [{ scheme: "auth", id: "", perms: "cdrwa" }] });
  await client.setAcl(`${root}/closed`, [{ scheme: "auth", id: "", perms: "ra" }]);
  return count + 5;
}

interface Known {
  readonly data: string;
  readonly kind: string;
  readonly ttl: string | undefined;
}

async function content(root: string): Promise<Map<string, Known>> {
  const found = new Map<string, Known>();
  for await (const { path, stat, data = new Uint8Array() } of client.tree(root, { data: true }))
    if (stat.kind !== "ephemeral")
      found.set(path.slice(root.length), {
        data: Buffer.from(data).toString("base64"),
        kind: stat.kind,
        ttl: stat.ttl,
      });
  return found;
}

describe("export and import", () => {
  /** Of a smaller one. */
  let count = 0;
  let file = "";

  it("takes ten thousand znodes out, and in again as they were", async () => {
    const count = await fill("/from", 20);
    const session = await client.session();
    await session.create("/from/ephemeral", "e", { ephemeral: true });
    const file = join(folder, "from.ndjson");
    const exported = await quorate.run(["export", "/from"], anna);
    assert.equal(exported.code, 0, exported.err);
    await session.close();
    await writeFile(file, exported.bytes);
    const lines = exported.out.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^\{"quorate":"export","version":1,"root":"\/from","zxid":"0x[0-9a-f]{16}"\}$/);
    assert.equal(lines.at(-1), `{"end":true,"count":${count + 1}}`);

    const dry = await quorate.run(["import", "--dry-run", "/to", file], anna);
    assert.equal(dry.out, `would be: ${count} created, 1 ephemerals left out at /to\n`);
    assert.equal((await quorate.run(["stat", "-q", "/to"])).code, 3, "nothing is done");
    const done = await quorate.run(["import", "/to", file], anna);
    assert.deepEqual([done.code, done.out], [0, `${count} created, 1 ephemerals left out at /to\n`], done.err);
    const [from, to] = [await content("/from"), await content("/to")];
    assert.equal(to.size, count);
    assert.deepEqual(to, from);
    for (const path of ["/closed", "/closed/child", "/b1"])
      assert.deepEqual((await client.getAcl(`/to${path}`)).acl, (await client.getAcl(`/from${path}`)).acl, path);
  });

  it("does nothing to what is there, unless it is told what", async () => {
    count = await fill("/less", 3);
    const session = await client.session();
    await session.create("/less/ephemeral", "e", { ephemeral: true });
    file = join(folder, "less.ndjson");
    await writeFile(file, (await quorate.run(["export", "/less"], anna)).bytes);
    await session.close();
    await quorate.run(["import", "/more", file], anna);
    const again = await quorate.run(["import", "/more", file], anna);
    assert.equal(again.code, 4);
    assert.match(
      again.err,
      /\/more is there already; nothing is done \(?.*\n {2}--overwrite or --skip-existing|--overwrite/,
    );
    await client.put("/more/b1/日7", "another");
    await client.delete("/more/b2/日8");
    const skipped = await quorate.run(["import", "--skip-existing", "/more"], { ...anna, input: await readFile(file) });
    assert.equal(
      skipped.out,
      `1 created, ${count - 1} left as they are, 1 ephemerals left out at /more\n`,
      skipped.err,
    );
    assert.equal(Buffer.from((await client.get("/more/b1/日7")).data).toString(), "another");
    const over = await quorate.run(["import", "--overwrite", "/more"], { ...asSuper, input: await readFile(file) });
    assert.equal(over.out, `0 created, ${count} overwritten, 1 ephemerals left out at /more\n`, over.err);
    assert.deepEqual(await content("/more"), await content("/less"));
  });

  it("refuses what is not whole", async () => {
    const text = await readFile(file, "utf8");
    const cut = join(folder, "cut.ndjson");
    for (const [part, what] of [
      [text.slice(0, text.length / 2), /cut off/],
      [`${text.split("\n").slice(0, 50).join("\n")}\n`, /cut off behind 49 znodes/],
      [text.replace(/"count":\d+/, '"count":7'), /says that there are 7 znodes/],
      ["", /it is empty/],
      ["{}\n", /not the beginning of an export/],
    ] as const) {
      await writeFile(cut, part);
      const refused = await quorate.run(["import", "/cut", cut], anna);
      assert.notEqual(refused.code, 0);
      assert.match(refused.err, what);
      assert.equal((await quorate.run(["stat", "-q", "/cut"])).code, 3, "nothing is done");
    }
  });

  it("does not carry over an ACL that it was not shown", async () => {
    await client.create("/shown", "x", {
      acl: [
        { scheme: "auth", id: "", perms: "cdrwa" },
        { scheme: "world", id: "anyone", perms: "r" },
      ],
    });
    const exported = await quorate.run(["export", "/shown"]);
    assert.equal(exported.code, 0);
    assert.match(exported.err, /of 1 znodes the ACL is not known/);
    const refused = await quorate.run(["import", "/shown2"], { input: exported.out });
    assert.equal(refused.code, 1);
    assert.equal((await quorate.run(["stat", "-q", "/shown2"])).code, 3);
    assert.equal((await quorate.run(["import", "--no-acl", "/shown2"], { input: exported.out })).code, 0);
  });
});
