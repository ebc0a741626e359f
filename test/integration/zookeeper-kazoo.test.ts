/**
 * A real client, kazoo, whose servers are restarted one after the other and then lose their leader: its session, its ephemeral and
 * its writes survive, its watches tell the newest; and when its process is killed, its ephemeral goes after the timeout.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { makeReady, type Program } from "../polyglot/make-ready.ts";
import { kazoo } from "../zookeeper/foreign-kits.ts";
import { ForeignTalk } from "../zookeeper/foreign-talk.ts";
import { ask, show, watchGone } from "./door-client.ts";
import { Ensemble, freePorts, type Process, statusOf, until } from "./ensemble.ts";

const timeoutMillis = 9000;
const graceMillis = 1000;
const root = "/kazoo";

let ensemble: Ensemble | undefined;
let program: Program | undefined;
let skip = "";
let hosts = "";
const opened: ForeignTalk[] = [];

async function put(path: string, body: string): Promise<void> {
  const answer = await ask(ensemble?.gateway.base ?? "", "PUT", `/v1/znodes${root}${path}`, { body });
  assert.ok(answer.status < 300, show(answer));
}

async function comeBack(struck: Process): Promise<void> {
  struck.start();
  await until(async () => (await statusOf(struck)).serving, 60_000, `${struck.name} serves`);
}

/** The numbers behind a word, of all lines that it printed. */
function numbers(output: string, word: string): number[] {
  return [...output.matchAll(new RegExp(`^${word} (\\d+)$`, "gm"))].map((each) => Number(each[1]));
}

describe("kazoo, while its servers come and go", { timeout: 440_000 }, () => {
  before(async () => {
    const ready = await makeReady(kazoo);
    if ("skip" in ready) {
      skip = ready.skip;
      return;
    }
    program = ready.program;
    const ports = await freePorts(3);
    hosts = ports.map((port) => `127.0.0.1:${port}`).join(",");
    const environmentOf = (name: string) => {
      const port = name.startsWith("replica") ? ports[Number(name.split(" ")[1]) - 1] : 0;
      return { QUORATE_ZOOKEEPER_PORT: String(port) };
    };
    ensemble = await Ensemble.start({ environmentOf });
    for (const path of ["", "/data", "/list"]) await put(path, "0");
  });
  afterEach((context) => {
    if ("error" in context && context.error) console.log(ensemble?.output(), opened.at(-1)?.output.slice(-4000));
  });
  after(async () => {
    for (const each of opened) await each.kill();
    await ensemble?.stop();
  });

  it("keeps its session, and is told", async (t) => {
    if (program === undefined || ensemble === undefined) return t.skip(skip);
    const talk = begin(program);
    const [, session = ""] = await talk.hears(/session (0x[0-9a-f]{16})\n/);
    await talk.hears(/begun\n/);
    const { base } = ensemble.gateway;
    const held = await ask(base, "GET", `/v1/znodes${root}/held`);
    const news = new News(talk);
    for (const each of ensemble.replicas) {
      await each.kill("SIGTERM");
      await news.more();
      await comeBack(each);
    }
    const leader = ensemble.replica(await ensemble.leader());
    await leader.kill();
    await news.more();
    await comeBack(leader);
    talk.type("");
    assert.equal((await talk.hears(/ended (0x[0-9a-f]{16})\n/))[1], session);
    const { output } = talk;
    assert.doesNotMatch(output, /state LOST|failed/);
    assert.match(output, /state SUSPENDED/, "it had to move");
    const [made, lost] = [numbers(output, "made"), numbers(output, "lost")];
    t.diagnostic(`${made.length} made, ${lost.length} lost, ${output.match(/state SUSPENDED/g)?.length} reconnections`);
    for (const number of made) {
      const there = await ask(base, "HEAD", `/v1/znodes${root}/made/${number}`);
      assert.equal(there.status, 200, `${number} was acknowledged`);
    }
    const still = await ask(base, "GET", `/v1/znodes${root}/held`);
    assert.deepEqual([still.status, still.etag], [200, held.etag], "its ephemeral was never gone");
  });

  it("loses its ephemeral when its process is killed, after its timeout", async (t) => {
    const talk = opened.at(-1);
    if (talk === undefined || ensemble === undefined) return t.skip(skip);
    const { base } = ensemble.gateway;
    const still = await ask(base, "GET", `/v1/znodes${root}/held`);
    assert.equal(still.status, 200);
    const killedAt = performance.now();
    await talk.kill();
    // It only pinged at last; the door may have renewed its session a third of its time before.
    const earliest = killedAt + (timeoutMillis * 2) / 3 - 500;
    const latest = killedAt + timeoutMillis + graceMillis;
    const gone = await watchGone([base], `${root}/held`, still.zxid, { from: earliest - 200, until: latest + 60_000 });
    const [seen, missed] = [gone.lastSeenAt, gone.firstGoneAt].map((each) => Math.round(each - killedAt));
    t.diagnostic(`it was seen until ${seen} ms after the kill, and missed at ${missed} ms`);
    assert.ok(gone.firstGoneAt >= earliest, `seen until ${seen}, missed at ${missed}`);
    // That sessions go in time is seen in sessions.test.ts, more than once: here a machine that stands still has the last word.
  });
});

function begin(python: Program): ForeignTalk {
  const script = join(import.meta.dirname, "../zookeeper/python/surviving.py");
  const args = [...python.args, script, hosts, String(timeoutMillis / 1000), root];
  const talk = new ForeignTalk({ ...python, args });
  opened.push(talk);
  return talk;
}

/** What it is to be told of. */
class News {
  readonly #talk: ForeignTalk;
  #turn = 0;

  constructor(talk: ForeignTalk) {
    this.#talk = talk;
  }

  /** Something new, which it hears of; and it writes on. */
  async more(): Promise<void> {
    const talk = this.#talk;
    this.#turn++;
    await put("/data", String(this.#turn));
    await put(`/list/${this.#turn}`, "");
    const names = Array.from({ length: this.#turn }, (_, i) => i + 1).join();
    await until(
      () => talk.output.includes(`data ${this.#turn}\n`) && talk.output.includes(`children ${names}\n`),
      20_000,
      () => `it is told ${this.#turn}: ${talk.output.slice(-300)}`,
    );
    const made = numbers(talk.output, "made").length;
    await until(() => numbers(talk.output, "made").length > made + 5, 20_000, "it writes");
  }
}
