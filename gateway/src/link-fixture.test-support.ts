/** What the tests of the link share: requests, a link on a model ensemble, and answers as short words. */
import { anyone, asZxid, type Path, persistentShape } from "@quorate/api";
import type { Answer, ReadRequest, RenewAnswer, WriteRequest } from "./backend.ts";
import { ModelEnsemble, type ModelReplica } from "./model-ensemble.test-support.ts";
import { ReplicaLink, type ReplicaLinkOptions } from "./replica-link.ts";
import { VirtualWorld } from "./virtual-world.test-support.ts";

export interface Fixture {
  readonly world: VirtualWorld;
  readonly ensemble: ModelEnsemble;
  readonly link: ReplicaLink;
  readonly logged: string[];
}

export function setUp(options: Partial<ReplicaLinkOptions> = {}, seed = 7): Fixture {
  const world = new VirtualWorld(seed);
  const ensemble = new ModelEnsemble(world);
  ensemble.elect(1);
  const logged: string[] = [];
  const replicas = ["r1:7400", "r2:7400", "r3:7400"];
  const log = (text: string): void => void logged.push(text);
  const link = new ReplicaLink({ replicas, dial: ensemble.dial, world, name: "g1", log, ...options });
  return { world, ensemble, link, logged };
}

let count = 0;

/** A create of a path that no other has. */
export function create(bytes = 10): WriteRequest & { readonly operation: { readonly path: Path } } {
  count += 1;
  const operation = {
    kind: "create",
    path: `/t/${count}` as Path,
    data: new Uint8Array(bytes),
    shape: persistentShape,
    sequential: false,
    parents: false,
  } as const;
  return { identity: anyone, operation };
}

export function read(consistency: ReadRequest["consistency"]): ReadRequest {
  const operation = { kind: "exists", path: "/a" as Path } as const;
  return { identity: anyone, operation, consistency, minZxid: asZxid(0), maxStaleMillis: 10_000 };
}

/** The answer, once there is one. */
export function watch<T>(promise: Promise<T>): { answer: T | undefined } {
  const box: { answer: T | undefined } = { answer: undefined };
  void promise.then((answer) => {
    box.answer = answer;
  });
  return box;
}

export function brief(answer: Answer | RenewAnswer | undefined): string {
  if (!answer) return "none";
  if (answer.kind === "unavailable") return `${answer.code} ${answer.certainty}`;
  if (answer.kind !== "outcome") return answer.kind;
  return answer.outcome.ok ? "ok" : answer.outcome.code;
}

export function member(ensemble: ModelEnsemble, id: number): ModelReplica {
  return ensemble.replicas[id - 1] as ModelReplica;
}
