/**
 * `npm run fuzz -- [--cases N] [--seed S] [--rows R]` asks a real ensemble (three replicas and a gateway) N random requests by
 * the OpenAPI document, and a quarter as many by the gRPC contract, and prints what was reached. It fails on any find.
 * `npm run fuzz -- --zookeeper [--frames N] [--seed S]` sends N frames to its ZooKeeper port, most of them wrong, beside a client
 * that must be served.
 */
import { parseArgs } from "node:util";
import { Ensemble, freePorts, superUser } from "../integration/ensemble.ts";
import { fuzzGrpc, grpcSummary, unansweredMethods } from "./grpc-fuzz.ts";
import { missing, summary } from "./report.ts";
import { type Find, fuzzRest } from "./rest-fuzz.ts";
import { playScenes } from "./rest-scenes.ts";
import { tryZookeeperPort } from "./zookeeper-trial.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    rows: { type: "string", default: "4" },
    zookeeper: { type: "boolean", default: false },
    frames: { type: "string", default: "1000000" },
  },
});

async function main(): Promise<number> {
  const [cases, seed, rows] = [Number(values.cases), Number(values.seed), Number(values.rows)];
  const [grpcPort = 0] = await freePorts(1);
  const environmentOf = (name: string): Record<string, string> =>
    name === "gateway 1" ? { QUORATE_GRPC_PORT: String(grpcPort) } : {};
  const ensemble = await Ensemble.start({ environmentOf });
  try {
    const common = { superUser: `${superUser.user}:${superUser.password}`, seed, isShaken: true };
    const began = performance.now();
    const rest = await fuzzRest({ ...common, base: ensemble.gateway.base, cases, rows });
    const millis = performance.now() - began;
    await playScenes(rest);
    console.log(summary(rest, millis));
    const left = missing(rest);
    console.log(
      left.length === 0 ? "every promised status was reached, or is named" : `not reached: ${left.join(", ")}`,
    );
    const then = performance.now();
    const grpc = await fuzzGrpc({ ...common, port: grpcPort, cases: Math.ceil(cases / 4) });
    console.log(grpcSummary(grpc, performance.now() - then));
    report([...rest.finds, ...grpc.finds]);
    const died = [...ensemble.replicas, ...ensemble.gateways].filter((each) => !each.running);
    for (const each of died) console.log(`${each.name} is gone:\n${each.output.slice(-2000)}`);
    const bad = rest.finds.length + grpc.finds.length + left.length + unansweredMethods(grpc).length + died.length;
    return bad === 0 && rest.successes >= rest.cases / 3 ? 0 : 1;
  } finally {
    await ensemble.stop();
  }
}

function report(finds: readonly Find[]): void {
  for (const { what, request, answer } of finds.slice(0, 20)) console.log(`FIND ${what}\n  ${request}\n  ${answer}`);
}

async function zookeeper(): Promise<number> {
  const ensemble = await Ensemble.start();
  try {
    const began = performance.now();
    const [frames, seed] = [Number(values.frames), Number(values.seed)];
    const { tally, healthy, faults } = await tryZookeeperPort(ensemble, {
      frames,
      seed,
      memory: true,
      log: console.log,
    });
    const kinds = [...tally.conversations].map(([kind, count]) => `${kind} ${count}`).join(", ");
    console.log(`${tally.frames} frames, ${tally.answers} answers, ${tally.events} events; conversations: ${kinds}`);
    console.log(`the healthy client: ${healthy.rounds} rounds, the slowest ${Math.round(healthy.slowestMillis)} ms`);
    for (const fault of faults) console.log(`FIND ${fault}`);
    console.log(`${faults.length} finds in ${Math.round((performance.now() - began) / 1000)} s`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await ensemble.stop();
  }
}

process.exitCode = values.zookeeper ? await zookeeper() : await main();
