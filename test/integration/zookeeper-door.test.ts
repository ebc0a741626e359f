/** The ZooKeeper port of real processes: one session through all of them and through REST, their ends, and their settings. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { WireClient, WireClosed, type WireConnectOptions } from "../zookeeper/wire-client.ts";
import { createFlags, openAcl, type WireRequest } from "../zookeeper/wire-records.ts";
import { Ensemble, freePorts, type Process, until } from "./ensemble.ts";
import { talk } from "./raw-socket.ts";

const patienceMillis = 60_000;
let ensemble: Ensemble;
let ports: ReadonlyMap<string, number>;

before(async () => {
  const names = ["replica 1", "replica 2", "replica 3", "gateway 1"];
  const free = await freePorts(names.length);
  ports = new Map(names.map((name, at) => [name, free[at] ?? 0]));
  const environmentOf = (name: string) => ({ QUORATE_ZOOKEEPER_PORT: String(ports.get(name)) });
  ensemble = await Ensemble.start({ environmentOf });
});
after(() => ensemble?.stop());

function create(path: string, flags: number = createFlags.persistent): WireRequest {
  return { op: "create", path, data: Buffer.from("x"), acl: openAcl, flags };
}

/** As clients do: again and again, until somebody serves. */
async function connect(process: Process, options: WireConnectOptions = {}): Promise<WireClient> {
  let client: WireClient | undefined;
  await until(
    async () => {
      client = await WireClient.connect(process.zookeeperPort, { patienceMillis, ...options });
      return client.accepted;
    },
    patienceMillis,
    `${process.name} accepts`,
  );
  return client as WireClient;
}

function again({ session, password, lastZxid }: WireClient): WireConnectOptions {
  return { session, password, lastZxidSeen: lastZxid };
}

function done(replies: readonly { readonly error: number }[]): void {
  assert.deepEqual(
    replies.map(({ error }) => error),
    replies.map(() => 0),
  );
}

describe("the ZooKeeper port", { timeout: 400_000 }, () => {
  it("one session at each door, and in REST", async () => {
    const first = await connect(ensemble.replica(1));
    done([await first.send(create("/one", createFlags.ephemeral))]);
    const id = `0x${first.session.toString(16).padStart(16, "0")}`;
    const headers = { "Quorate-Session": `${id}:${first.password.toString("hex")}` };
    const seen = await fetch(`${ensemble.gateway.base}/v1/sessions/${id}`, { headers });
    assert.deepEqual(((await seen.json()) as { ephemerals: string[] }).ephemerals, ["/one"]);
    const second = await connect(ensemble.gateway, again(first));
    assert.equal(second.session, first.session);
    await first.closed;
    const third = await connect(ensemble.replica(3), again(second));
    await second.closed;
    const reply = await third.send({ op: "getData", path: "/one", watch: false });
    assert.equal(reply.result?.stat.ephemeralOwner, first.session);
    await third.close();
    const gone = await fetch(`${ensemble.gateway.base}/v1/znodes/one`);
    assert.equal(gone.status, 404, "its ephemeral is gone with it");
  });

  it("hundreds of requests in flight are answered in order", async () => {
    const client = await connect(ensemble.gateway);
    done([await client.send(create("/order"))]);
    const count = 450;
    const replies = await Promise.all(
      Array.from({ length: count }, (_, at) =>
        at % 3 === 2
          ? client.send({ op: "setData", path: "/order", data: Buffer.from(String(at)), version: -1 })
          : client.send({ op: "getData", path: "/order", watch: at % 30 === 0 }),
      ),
    );
    done(replies);
    for (const [at, { result }] of replies.entries()) {
      if (at < 3 || at % 3 === 2) continue;
      const data = result !== undefined && "data" in result ? result.data : undefined;
      assert.equal(data?.toString(), String(at - (at % 3) - 1), "each reads what was written just before it");
    }
    const told = client.arrivals.filter((each) => each.kind === "event");
    assert.ok(told.length > 0);
    for (const { event } of told) {
      const early = client.arrivals
        .slice(0, event.place)
        .find((each) => each.kind === "reply" && each.reply.zxid >= event.zxid);
      assert.equal(early, undefined, "no reply shows what was not told");
    }
    await client.close();
  });

  it("a replica that stops answers first, and its clients go on elsewhere", async () => {
    const client = await connect(ensemble.replica(2), { timeoutMillis: 20_000 });
    done([await client.send(create("/stays", createFlags.ephemeral))]);
    const writes = Array.from({ length: 200 }, (_, at) => client.send(create(`/w-${at}`)));
    const ended = ensemble.replica(2).kill("SIGTERM");
    const fates = await Promise.allSettled(writes);
    assert.match(await client.closed, /closed/);
    await ended;
    const answered = fates.filter((each) => each.status === "fulfilled");
    done(answered.map(({ value }) => value));
    for (const each of fates) {
      if (each.status === "rejected") assert.ok(each.reason instanceof WireClosed, String(each.reason));
    }
    const next = await connect(ensemble.replica(3), again(client));
    assert.equal(next.session, client.session);
    const there = await Promise.all(fates.map((_, at) => next.send({ op: "exists", path: `/w-${at}`, watch: false })));
    for (const [at, { error }] of there.entries()) {
      if (fates[at]?.status === "fulfilled") assert.equal(error, 0, `/w-${at} was answered, and is there`);
    }
    const kept = await next.send({ op: "exists", path: "/stays", watch: false });
    assert.equal(kept.result?.stat.ephemeralOwner, client.session, "its ephemeral stays");
    ensemble.replica(2).start();
    await next.close();
  });

  it("a leader that is killed costs a client its answers, and nothing else", async () => {
    const leader = await ensemble.leader();
    const home = ensemble.replica(leader);
    const [client, other] = [await connect(ensemble.gateway), await connect(home, { timeoutMillis: 20_000 })];
    done([await client.send(create("/kept", createFlags.ephemeral)), await other.send(create("/there", 1))]);
    const watched = await client.send({ op: "exists", path: "/news", watch: true });
    assert.equal(watched.error, -101);
    await home.kill();
    // The gateway is still there: it waits for the next leader, and so does this write.
    done([await client.send(create("/after"))]);
    const back = await connect(ensemble.replica((leader % 3) + 1), again(other));
    assert.equal(back.session, other.session);
    done([await back.send(create("/news"))]);
    await client.until(() => client.events.length > 0, patienceMillis);
    assert.deepEqual(
      client.events.map(({ path, type }) => [path, type]),
      [["/news", 1]],
    );
    for (const path of ["/kept", "/there"]) {
      assert.equal((await back.send({ op: "exists", path, watch: false })).error, 0, path);
    }
    home.start();
    await Promise.all([client.close(), back.close()]);
  });

  it("says who came to the wrong port, and which is the right one", async () => {
    const { zookeeperPort, restPort } = ensemble.gateway;
    const { text, closed } = await talk(zookeeperPort, "GET /v1/znodes/ HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.deepEqual([text, closed], ["", true]);
    const said = `an HTTP request came to the ZooKeeper port ${zookeeperPort}; REST is at 127.0.0.1:${restPort}\n`;
    await until(
      () => ensemble.gateway.output.includes(said),
      patienceMillis,
      () => ensemble.gateway.output,
    );
  });

  it("/zookeeper/config has the members here, and nothing in REST, which has them in /v1/cluster", async () => {
    const client = await connect(ensemble.gateway);
    const { result } = await client.send({ op: "getData", path: "/zookeeper/config", watch: false });
    const shown = [...String(result?.data).matchAll(/^server\.(\d)=(127\.0\.0\.1:\d+):/gm)].map((each) =>
      each.slice(1),
    );
    const { members } = (await (await fetch(`${ensemble.gateway.base}/v1/cluster`)).json()) as {
      members: { id: number; address: string }[];
    };
    assert.deepEqual(
      shown,
      members.map(({ id, address }) => [String(id), address]),
    );
    assert.equal(shown.length, 3);
    const stored = await fetch(`${ensemble.gateway.base}/v1/znodes/zookeeper/config`);
    assert.deepEqual([stored.status, await stored.text()], [200, ""]);
    await client.close();
  });

  it("says in its metrics what it was asked", async () => {
    const client = await connect(ensemble.gateway);
    await client.send({ op: "getData", path: "/none", watch: false });
    for (const path of ["/none", "/nowhere"]) await client.send({ op: "exists", path, watch: true });
    const refused = await connect(ensemble.gateway);
    assert.equal((await refused.send({ op: "sasl", token: Buffer.from("x") })).error, -115);
    await refused.closed;
    let text = "";
    const told = async (): Promise<boolean> => {
      text = await (await fetch(`${ensemble.gateway.base}/metrics`)).text();
      return text.includes('quorate_connections{door="zookeeper"} 1\n');
    };
    await until(told, patienceMillis, () => `the others are gone: ${text}`);
    assert.match(text, /^quorate_requests_total\{operation="zookeeper\.getData",status="-101"\} \d+$/m);
    assert.match(text, /^quorate_request_ms_total\{operation="zookeeper\.getData",status="0"\} \d+$/m);
    assert.match(text, /^quorate_connections\{door="rest"\} [1-9]\d*$/m);
    assert.match(text, /^quorate_connections_refused_total\{door="grpc"\} 0$/m);
    assert.match(text, /^quorate_zookeeper_watches 2$/m);
    assert.match(text, /^quorate_zookeeper_requests_outstanding 0$/m);
    assert.match(text, /^quorate_zookeeper_auth_failed_total 1$/m);
    assert.match(text, /^quorate_open_files [1-9]\d+$/m);
    const families: readonly string[] = text.match(/(?<=^# TYPE )\S+/gm) ?? [];
    assert.equal(new Set(families).size, families.length, "each is said once");
    for (const [, name = ""] of text.matchAll(/^(\w+)/gm)) assert.ok(families.includes(name), name);
    await client.close();
  });
});

describe("its settings", { timeout: 300_000 }, () => {
  it("timeouts, connections of an address, four-letter words", async () => {
    const flags = ["--zookeeper-min-session-timeout", "5000", "--zookeeper-max-session-timeout", "7000"];
    const more = ["--zookeeper-connections-per-address", "2", "--zookeeper-commands", "ruok"];
    const small = await Ensemble.start({ replicas: 1, gateways: 0, flags: [...flags, ...more] });
    try {
      const { zookeeperPort } = small.replica(1);
      const short = await WireClient.connect(zookeeperPort, { timeoutMillis: 1000 });
      const long = await WireClient.connect(zookeeperPort, { timeoutMillis: 60_000 });
      assert.deepEqual([short.timeoutMillis, long.timeoutMillis], [5000, 7000]);
      await assert.rejects(WireClient.connect(zookeeperPort), WireClosed, "a third one of this address");
      const line = "there are 2 connections from 127.0.0.1, which is the most";
      await until(() => small.replica(1).output.includes(line), patienceMillis, "the log says why");
      const counted = await (await fetch(`${small.replica(1).base}/metrics`)).text();
      assert.match(counted, /^quorate_connections_refused_total\{door="zookeeper"\} 1$/m);
      await Promise.all([short.close(), long.close()]);
      await until(
        async () => (await talk(zookeeperPort, "ruok")).text === "imok",
        patienceMillis,
        "there is room again",
      );
      assert.match((await talk(zookeeperPort, "mntr")).text, /mntr is not executed because it is not in the whitelist/);
      assert.match((await talk(zookeeperPort, "srvr")).text, /^Mode: (leader|standalone)$/m);
    } finally {
      await small.stop();
    }
  });

  it("a port that is not wanted is not there", async () => {
    const without = await Ensemble.start({ replicas: 1, gateways: 0, flags: ["--no-zookeeper"] });
    try {
      assert.match(without.replica(1).output, /gRPC on /);
      assert.doesNotMatch(without.replica(1).output, /ZooKeeper on /);
      assert.doesNotMatch(await (await fetch(`${without.replica(1).base}/metrics`)).text(), /zookeeper/);
    } finally {
      await without.stop();
    }
  });
});
