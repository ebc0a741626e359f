/** A newcomer's session with the real curl, against a real ensemble through a gateway. Later steps use what earlier ones got. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Ensemble, superUser } from "./ensemble.ts";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever the door sent.
  readonly json: any;
}

let ensemble: Ensemble;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "quorate-curl-"));
  ensemble = await Ensemble.start();
});
after(async () => {
  await ensemble.stop();
  await rm(folder, { recursive: true, force: true });
});

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("curl", [...args], { encoding: "latin1", timeout: 60_000 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`curl ${args.join(" ")}: ${error.message} ${stderr}`));
      else resolve(stdout);
    });
  });
}

/** `curl -si` of a path of the gateway's, with further arguments. */
async function curl(path: string, ...args: string[]): Promise<Answer> {
  const whole = await run(["-sSi", `${ensemble.gateway.base}${path}`, ...args]);
  // A large upload asks first, and shows that it was told to go on.
  const output = whole.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
  const end = output.indexOf("\r\n\r\n");
  const [first = "", ...lines] = output.slice(0, end).split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]),
  );
  const text = Buffer.from(output.slice(end + 4), "latin1").toString("utf8");
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: Number(first.split(" ")[1]), headers, text, json };
}

const jsonType = ["-H", "Content-Type: application/json"] as const;

function txn(body: unknown, ...args: string[]): Promise<Answer> {
  return curl("/v1/txn", ...jsonType, "-d", JSON.stringify(body), ...args);
}

function expect(answer: Answer, status: number, code?: string): void {
  assert.equal(answer.status, status, answer.text);
  if (code === undefined) return;
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.equal(answer.json.code, code, answer.text);
  assert.equal(answer.json.status, status);
}

describe("a newcomer with curl", () => {
  it("creates and reads, as bytes and as JSON", async () => {
    const made = await curl("/v1/znodes/app", "-X", "PUT", "-d", "hello");
    expect(made, 201);
    assert.equal(made.headers["location"], "/v1/znodes/app");
    const bytes = await curl("/v1/znodes/app");
    expect(bytes, 200);
    assert.equal(bytes.text, "hello");
    assert.equal(bytes.headers["content-type"], "application/octet-stream");
    assert.equal(JSON.parse(bytes.headers["quorate-stat"] ?? "").version, 0);
    const json = await curl("/v1/znodes/app?format=json");
    assert.deepEqual([json.json.path, json.json.data, json.json.encoding], ["/app", "hello", "utf-8"]);
    assert.equal(json.json.stat.mzxid, made.json.stat.mzxid);
    expect(await curl("/v1/znodes/none"), 404, "noNode");
    const lost = await curl("/v1/znodes/some/where", "-X", "PUT", "-d", "x");
    expect(lost, 409, "noParent");
    assert.match(lost.json.detail, /\?parents=true/);
    expect(await curl("/v1/znodes/some/where?parents=true", "-X", "PUT", "-d", "x"), 201);
  });

  it("stores a file byte for byte (--data-binary and -T) and fetches it again", async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
    const [source, target] = [join(folder, "source"), join(folder, "target")];
    await writeFile(source, bytes);
    expect(await curl("/v1/znodes/file", "-X", "PUT", "--data-binary", `@${source}`), 201);
    await run(["-sS", "-o", target, `${ensemble.gateway.base}/v1/znodes/file`]);
    assert.deepEqual(await readFile(target), bytes);
    // Uploads above 1 MiB ask with Expect: 100-continue first.
    await writeFile(source, Buffer.alloc(1_048_575, 7));
    expect(await curl("/v1/znodes/file", "-T", source), 200);
    await writeFile(source, Buffer.alloc(20_000_000, 7));
    expect(await curl("/v1/znodes/file", "-T", source), 413, "tooLarge");
    await run(["-sS", "-o", target, `${ensemble.gateway.base}/v1/znodes/file`]);
    assert.equal((await readFile(target)).length, 1_048_575);
  });

  it("compares and sets with If-Match", async () => {
    const tag = (await curl("/v1/znodes/app")).headers["etag"] ?? "";
    assert.match(tag, /^"0x[0-9a-f]{16}"$/);
    expect(await curl("/v1/znodes/app", "-X", "PUT", "-H", `If-Match: ${tag}`, "-d", "world"), 200);
    expect(await curl("/v1/znodes/app", "-X", "PUT", "-H", `If-Match: ${tag}`, "-d", "again"), 412, "badVersion");
    const unquoted = await curl(
      "/v1/znodes/app",
      "-X",
      "PUT",
      "-H",
      `If-Match: ${tag.replaceAll('"', "")}`,
      "-d",
      "again",
    );
    expect(unquoted, 400, "badArguments");
    assert.match(unquoted.json.detail, /quotes/);
    assert.equal((await curl("/v1/znodes/app")).text, "world");
    expect(await curl("/v1/znodes/app", "-X", "PUT", "-H", "If-None-Match: *", "-d", "new"), 412, "nodeExists");
    const now = (await curl("/v1/znodes/app")).headers["etag"] ?? "";
    expect(await curl("/v1/znodes/app", "-H", `If-None-Match: ${now}`), 304);
  });

  it("makes sequential children", async () => {
    expect(await curl("/v1/znodes/queue", "-X", "PUT", "-d", ""), 201);
    for (let i = 0; i < 3; i++) {
      const made = await curl("/v1/znodes/queue?prefix=item-", "-X", "POST", "-d", String(i));
      expect(made, 201);
      assert.equal(made.headers["location"], `/v1/znodes/queue/item-000000000${i}`);
    }
    const listed = await curl("/v1/children/queue");
    const names = listed.json.children.map((each: { name: string }) => each.name);
    assert.deepEqual(names, ["item-0000000000", "item-0000000001", "item-0000000002"]);
  });

  it("sends a txn that fails as a whole and names the op", async () => {
    const failed = await txn({
      then: [
        { op: "put", path: "/one", data: "1" },
        { op: "delete", path: "/absent" },
      ],
    });
    expect(failed, 409, "noNode");
    assert.deepEqual([failed.json.op, failed.json.path], [{ in: "then", index: 1 }, "/absent"]);
    expect(await curl("/v1/znodes/one"), 404, "noNode");
    const check = await txn({
      check: [{ path: "/app", exists: false }],
      then: [{ op: "put", path: "/one", data: "1" }],
    });
    assert.deepEqual([check.status, check.json.op], [409, { in: "check", index: 0 }]);
    const done = await txn({
      check: [{ path: "/app", exists: true }],
      then: [
        { op: "put", path: "/one", data: "1" },
        { op: "put", path: "/two", data: "2" },
      ],
    });
    assert.deepEqual([done.status, done.json.branch, done.json.results.length], [200, "then", 2]);
    const stats = await Promise.all(["/one", "/two"].map((path) => curl(`/v1/znodes${path}?format=json`)));
    for (const each of stats) assert.equal(each.json.stat.czxid, done.json.zxid, "both at one zxid");
  });

  it("pages through children while they change: each page is of the first page's moment", async () => {
    const then = Array.from({ length: 100 }, (_, i) => ({ op: "create", path: `/many/${String(i).padStart(3, "0")}` }));
    expect(await txn({ then: [{ op: "create", path: "/many" }, ...then] }), 200);
    const names: string[] = [];
    let more = "";
    let page = 0;
    do {
      const answer = await curl(`/v1/children/many?limit=30${more === "" ? "" : `&continue=${more}`}`);
      expect(answer, 200);
      names.push(...answer.json.children.map((each: { name: string }) => each.name));
      more = answer.json.continue ?? "";
      // One that was seen goes, one that is still to come goes, and new ones come before and behind.
      const gone = [String(page).padStart(3, "0"), String(99 - page).padStart(3, "0")];
      for (const name of gone) expect(await curl(`/v1/znodes/many/${name}`, "-X", "DELETE"), 200);
      for (const name of [`000-${page}`, `099-${page}`])
        expect(await curl(`/v1/znodes/many/${name}`, "-X", "PUT", "-d", ""), 201);
      page++;
    } while (more !== "");
    assert.equal(page, 4);
    assert.deepEqual(
      names,
      then.map(({ path }) => path.slice(6)),
    );
    const now = await curl("/v1/children/many?limit=10000");
    assert.equal(now.json.children.length, 100);
  });

  it("protects with ACLs: two users and the super user", async () => {
    const alice = ["-u", "alice:wonder"] as const;
    const bob = ["-u", "bob:builder"] as const;
    const root = ["-u", `${superUser.user}:${superUser.password}`] as const;
    expect(await curl("/v1/znodes/hers?acl=auth::cdrwa", "-X", "PUT", "-d", "secret", ...alice), 201);
    assert.equal((await curl("/v1/znodes/hers", ...alice)).text, "secret");
    for (const other of [bob, ["-u", "alice:wrong"], []]) {
      expect(await curl("/v1/znodes/hers", ...other), 403, "noAuth");
      expect(await curl("/v1/znodes/hers", "-X", "PUT", "-d", "mine", ...other), 403, "noAuth");
      expect(await curl("/v1/znodes/hers/child", "-X", "PUT", "-d", "", ...other), 403, "noAuth");
    }
    const digest = (await curl("/v1/acl/hers", ...alice)).json.acl[0].id;
    const acl = [
      { scheme: "digest", id: digest, perms: "cdrwa" },
      { scheme: "world", id: "anyone", perms: "r" },
    ];
    expect(await curl("/v1/acl/hers", "-X", "PUT", ...jsonType, "-d", JSON.stringify({ acl }), ...alice), 200);
    expect(await curl("/v1/znodes/hers", ...bob), 200);
    expect(await curl("/v1/znodes/hers", "-X", "PUT", "-d", "mine", ...bob), 403, "noAuth");
    expect(await curl("/v1/znodes/hers", "-X", "PUT", "-d", "ours", ...root), 200);
    expect(await curl("/v1/sessions", ...alice), 403, "noAuth");
    expect(await curl("/v1/sessions", ...root), 200);
    const garbled = await curl("/v1/znodes/hers", "-H", "Authorization: Basic %%%");
    expect(garbled, 401, "authFailed");
    assert.ok(garbled.headers["www-authenticate"]);
  });

  it("opens a session, makes an ephemeral, renews, closes", async () => {
    const opened = await curl("/v1/sessions", "-X", "POST", ...jsonType, "-d", '{"timeout":"30s","name":"newcomer"}');
    expect(opened, 201);
    const { id, secret } = opened.json;
    const shown = ["-H", `Quorate-Session: ${id}:${secret}`] as const;
    expect(await curl("/v1/znodes/me?ephemeral=true", "-X", "PUT", "-d", "here", ...shown), 201);
    expect(await curl(`/v1/sessions/${id}/renew`, "-X", "POST", ...shown), 200);
    assert.deepEqual((await curl(`/v1/sessions/${id}`, ...shown)).json.ephemerals, ["/me"]);
    expect(
      await curl(`/v1/sessions/${id}`, "-X", "DELETE", "-H", `Quorate-Session: ${id}:${"0".repeat(32)}`),
      401,
      "authFailed",
    );
    assert.equal((await curl(`/v1/sessions/${id}`, "-X", "DELETE", ...shown)).json.deleted, 1);
    expect(await curl("/v1/znodes/me"), 404, "noNode");
    expect(await curl(`/v1/sessions/${id}/renew`, "-X", "POST", ...shown), 410, "sessionExpired");
  });

  it("asks for the three consistencies, for the ensemble, for health", async () => {
    const zxid = (await curl("/v1/znodes/app", "-X", "PUT", "-d", "now")).headers["quorate-zxid"] ?? "";
    const min = ["-H", `Quorate-Min-Zxid: ${zxid}`] as const;
    assert.equal((await curl("/v1/znodes/app", "-H", "Quorate-Consistency: session", ...min)).text, "now");
    const stale = await curl("/v1/znodes/app", "-H", "Quorate-Consistency: stale", ...min);
    assert.match(stale.headers["quorate-stale-age"] ?? "", /^\d+ms$/);
    const { members, leader } = (await curl("/v1/cluster")).json;
    assert.equal(members.length, 3);
    assert.ok(members.some((each: { id: number; role: string }) => each.id === leader && each.role === "leading"));
    for (const path of ["/livez", "/readyz?verbose", "/metrics", "/v1/openapi.json"]) expect(await curl(path), 200);
  });
});
