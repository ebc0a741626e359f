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
  await until(async () => (await statusOf(struck)).serving, 20_000, `${struck.name} serves`);
}

/** The numbers behind a word, of all lines that it printed. */
function numbers(output: string, word: string): number[] {
  return [...output.matchAll(new RegExp(`^${word} (\\d+)$`, "gm"))].map((each) => Number(each[1]));
}

describe("kazoo, while its servers come and go", { timeout: 225_000 }, () => {
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
    const args = [...program.args, join(import.meta.dirname, "../zookeeper/python/surviving.py")];
    const talk = new ForeignTalk({ ...program, args: [...args, hosts, String(timeoutMillis / 1000), root] });
    opened.push(talk);
    const [, session = ""] = await talk.hears(/session (0x[0-9a-f]{16})\n/);
    await talk.hears(/begun\n/);
    const { base } = ensemble.gateway;
    const held = await ask(base, "GET", `/v1/znodes${root}/held`);
    let turn = 0;
    const news = async (): Promise<void> => {
      turn++;
      await put("/data", String(turn));
      await put(`/list/${turn}`, "");
    };
    const all = (): string => Array.from({ length: turn }, (_, i) => i + 1).join();
    const goesOn = async (): Promise<void> => {
      // A connection that is lost afterwards makes it look again.
      const from = talk.output.length;
      const seen = (line: string): boolean => talk.output.includes(line) && talk.output.length > from;
      await until(
        () => seen(`data ${turn}\n`) && seen(`children ${all()}\n`),
        20_000,
        () => `it is told ${turn}: ${talk.output.slice(-300)}`,
      );
      const made = numbers(talk.output, "made").length;
      await until(() => numbers(talk.output, "made").length > made + 5, 20_000, "it writes");
    };
    for (const each of ensemble.replicas) {
      await each.kill("SIGTERM");
      await news();
      await goesOn();
      await comeBack(each);
    }
    const leader = ensemble.replica(await ensemble.leader());
    await leader.kill();
    await news();
    await goesOn();
    await comeBack(leader);
    talk.type("");
    assert.equal((await talk.hears(/ended (0x[0-9a-f]{16})\n/))[1], session);
    const { output } = talk;
    assert.doesNotMatch(output, /state LOST|failed/);
    const [made, lost] = [numbers(output, "made"), numbers(output, "lost")];
    t.diagnostic(`${made.length} made, ${lost.length} lost, ${output.match(/state SUSPENDED/g)?.length} reconnections`);
    assert.match(output, /state SUSPENDED/, "it had to move");
    for (const number of made) {
      const there = await ask(base, "HEAD", `/v1/znodes${root}/made/${number}`);
      assert.equal(there.status, 200, `${number} was acknowledged`);
    }
    const still = await ask(base, "GET", `/v1/znodes${root}/held`);
    assert.deepEqual([still.status, still.etag], [200, held.etag], "its ephemeral was never gone");

    // It only pings now. The door may last have renewed it a third before.
    const killedAt = performance.now();
    await talk.kill();
    const [earliest, latest] = [(timeoutMillis * 2) / 3 - 500, timeoutMillis + graceMillis].map(
      (each) => killedAt + each,
    );
    const window = { from: (earliest ?? 0) - 200, until: (latest ?? 0) + 3000 };
    const gone = await watchGone([base], `${root}/held`, still.zxid, window);
    const seen = [gone.lastSeenAt, gone.firstGoneAt].map((each) => Math.round(each - killedAt));
    t.diagnostic(`it was killed: its ephemeral was seen until ${seen[0]} ms, and not after ${seen[1]} ms`);
    assert.ok(gone.firstGoneAt >= (earliest ?? 0) && gone.lastSeenAt <= (latest ?? 0), String(seen));
  });
});
