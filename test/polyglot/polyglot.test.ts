/**
 * The examples in other languages, against a real ensemble: each holds a session with an ephemeral and follows a znode through
 * the loss of two leaders, the first of which is the very replica that it is connected to.
 */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { Ensemble, freePorts, sleep, until } from "../integration/ensemble.ts";
import { inTime } from "../integration/in-time.ts";
import { Example } from "./example.ts";
import { type Language, languages } from "./languages.ts";
import { makeReady, type Program, type Ready } from "./make-ready.ts";
import { Writer } from "./writer.ts";

/** How long the client without threads holds its session: `QUORATE_POLYGLOT_SECONDS=60 npm test -- polyglot` for a longer run. */
const heldSeconds = Number(process.env["QUORATE_POLYGLOT_SECONDS"] ?? 15);
/** Of every example. */
const sessionMillis = 6000;

const ready = new Map<Language, Ready | Error>();
/** To be stopped, whatever happens. */
const started: Example[] = [];
/** Those that could be started, as they stood at the end of the story. */
const told = new Map<Language, { readonly example: Example; readonly expected: readonly string[]; held: Held }>();
let ensemble: Ensemble;
let grpcPorts: ReadonlyMap<string, number>;

/** An ephemeral, as it is found: absent, or born and owned as it says. */
interface Held {
  readonly atFirst: string;
  readonly atLast: string;
  readonly owner: string;
  readonly afterwards: string;
}

describe("other languages", { timeout: 480_000 + heldSeconds * 1000 }, () => {
  before(async () => {
    const prepared = languages.map(async (each) => {
      ready.set(each, await makeReady(each).catch((error: unknown) => error as Error));
    });
    await Promise.all(prepared);
    const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];
    const free = await freePorts(names.length);
    grpcPorts = new Map(names.map((name, i) => [name, free[i] ?? 0]));
    ensemble = await Ensemble.start({ environmentOf: (name) => ({ QUORATE_GRPC_PORT: String(grpcPorts.get(name)) }) });
    await story();
  });
  after(async () => {
    for (const each of started) await each.kill();
    await ensemble?.stop();
  });

  for (const language of languages) {
    it(`${language.name} sees every change once, in order, and keeps its session, through the loss of leaders`, async (t) => {
      const made = ready.get(language);
      if (made instanceof Error) throw made;
      if (made === undefined || "skip" in made) return t.skip(`${language.name}: ${made?.skip}`);
      const outcome = told.get(language);
      assert.ok(outcome);
      const { example, expected, held } = outcome;
      // One that repeats itself may have told very much.
      assert.deepEqual(example.changes.slice(0, expected.length + 3), expected, example.output.slice(-4000));
      assert.equal(held.owner, example.session);
      assert.match(held.atFirst, /^0x/);
      assert.equal(held.atLast, held.atFirst, "the ephemeral was there all the time");
      assert.deepEqual([example.ended, example.lines.at(-1)], [0, "closed"], example.output.slice(-4000));
      assert.equal(held.afterwards, "404", "closing the session takes the ephemeral with it");
      t.diagnostic(`${language.name}: ${expected.length} changes; made ready in ${made.seconds.toFixed(1)} s`);
    });
  }

  it(`PHP holds a session of 6 s for ${heldSeconds} s by polls alone; killed, its ephemeral is gone within 7 s`, async (t) => {
    const php = languages.find(({ name }) => name === "PHP");
    const made = php && ready.get(php);
    if (made instanceof Error) throw made;
    if (made === undefined || "skip" in made) return t.skip(`PHP: ${made?.skip}`);
    await inTime(t, "gone after its client was killed", 7000, async (number) => [
      await heldByPolls(t, made.program, `kept-${number}`, number === 1 ? heldSeconds : 2),
    ]);
  });

  async function heldByPolls(t: TestContext, program: Program, name: string, seconds: number): Promise<number> {
    const writer = new Writer(ensemble.gateway.base);
    await writer.put(`/${name}`, "");
    const example = new Example(program, [ensemble.gateway.base, `/${name}`, `/members/${name}`]);
    started.push(example);
    await example.has("watching");
    const born = await found(`/members/${name}`);
    await sleep(seconds * 1000);
    assert.equal(example.ended, undefined, example.output);
    assert.equal(await found(`/members/${name}`), born, "the session was held");
    const gone = fetch(`${ensemble.gateway.base}/v1/znodes/members/${name}?wait=60s`, {
      headers: { "if-none-match": `"${born.split(" ")[0]}"` },
    });
    await example.kill();
    const killed = performance.now();
    assert.equal((await gone).status, 404);
    const millis = Math.round(performance.now() - killed);
    t.diagnostic(`held for ${heldSeconds} s; gone ${millis} ms after the client was killed`);
    return millis;
  }
});

/** What befalls all of them at once, so that no one waits for another's six seconds. */
async function story(): Promise<void> {
  const writer = new Writer(ensemble.gateway.base);
  await writer.put("/members", "");
  const first = await ensemble.leader();
  const cast = languages.flatMap((language) => {
    const made = ready.get(language);
    return made === undefined || made instanceof Error || "skip" in made ? [] : [{ language, program: made.program }];
  });
  const players = await Promise.all(
    cast.map(async ({ language, program }) => {
      const watched = `/config-${language.folder}`;
      await writer.put(watched, "");
      // The leader's own door first: with the leader goes the connection.
      const doors = [ensemble.replica(first), ensemble.gateway].map((each) =>
        language.door === "rest" ? each.base : `127.0.0.1:${grpcPorts.get(each.name)}`,
      );
      const member = `/members/${language.folder}`;
      const example = new Example(program, [doors.join(","), watched, member]);
      started.push(example);
      // One that does not come so far is judged by what it told; the others go on.
      await example.has("watching").catch(() => example.kill());
      return { language, example, watched, member, atFirst: await found(member), expected: [] as string[] };
    }),
  );
  const write = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const all = players.map(async ({ watched, expected }) => expected.push(await writer.put(watched, String(i))));
      await Promise.all(all);
    }
  };
  await write(10);
  for (const leader of [first, 0]) {
    const led = leader === 0 ? await ensemble.leader() : leader;
    const meanwhile = write(40);
    await ensemble.replica(led).kill();
    await meanwhile;
    ensemble.replica(led).start();
    await until(async () => (await fetch(`${ensemble.replica(led).base}/readyz`)).ok, 20_000, "it is back");
  }
  // A session that is not renewed would be over now.
  await sleep(sessionMillis + 2000);
  await write(10);
  for (const { language, example, watched, member, atFirst, expected } of players) {
    const atLast = await found(member);
    expected.push(await writer.remove(watched));
    await example.waitForEnd();
    const [born = "", owner = ""] = atFirst.split(" ");
    const [stillBorn = ""] = atLast.split(" ");
    const afterwards = await found(member);
    told.set(language, { example, expected, held: { atFirst: born, atLast: stillBorn, owner, afterwards } });
  }
}

/** Birth and owner of a znode, or the status that says that it is not there. */
async function found(path: string): Promise<string> {
  const answer = await fetch(`${ensemble.gateway.base}/v1/znodes${path}?format=json`);
  const { stat } = (await answer.json()) as {
    readonly stat?: { readonly czxid: string; readonly ephemeralOwner: string };
  };
  return stat === undefined ? String(answer.status) : `${stat.czxid} ${stat.ephemeralOwner}`;
}
