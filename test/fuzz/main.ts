/**
 * `npm run fuzz -- [--cases N] [--seed S] [--rows R]` asks a real ensemble (three replicas and a gateway) N random requests by
 * the OpenAPI document, and a quarter as many by the gRPC contract, and prints what was reached. It fails on any find.
 */
import { parseArgs } from "node:util";
import { Ensemble, freePorts, superUser } from "../integration/ensemble.ts";
import { fuzzGrpc, grpcSummary, unansweredMethods } from "./grpc-fuzz.ts";
import { missing, summary } from "./report.ts";
import { type Find, fuzzRest } from "./rest-fuzz.ts";
import { playScenes } from "./rest-scenes.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    rows: { type: "string", default: "4" },
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

process.exitCode = await main();
