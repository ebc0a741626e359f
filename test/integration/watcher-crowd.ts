/** A worker: many watchers of all three kinds, each at a door of its own choice, until all were told a last transaction. */
import assert from "node:assert/strict";
import { parentPort, workerData } from "node:worker_threads";
import { queryOf, type Scopes } from "./committed.ts";
import { sleep, until } from "./ensemble.ts";
import { callOn, pollOn, streamOn, type Watcher } from "./watchers.ts";

export interface CrowdPlan {
  /** Of each: where REST is, and gRPC. */
  readonly doors: readonly { readonly base: string; readonly grpcPort: number }[];
  readonly after: string;
  readonly watchers: readonly CrowdWatcher[];
}

export interface CrowdWatcher {
  readonly kind: "poll" | "text/event-stream" | "application/x-ndjson" | "grpc";
  readonly scopes: Scopes;
  /** The door that it begins at; it goes on to the next one where it is broken off. */
  readonly door: number;
  /** Every poll goes to the next door. */
  readonly roams: boolean;
}

export interface Told {
  readonly lines: readonly string[];
  readonly breaks: number;
}

/** The last zxid to wait for. */
export type CrowdOrder = { readonly last: string };

const patienceMillis = 60_000;

function begin({ kind, scopes, door, roams }: CrowdWatcher, { doors, after }: CrowdPlan, at: number): Watcher {
  let turn = door;
  let self: Watcher | undefined;
  // A stream asks where to go whenever it begins anew, a poll each time.
  const place = (): CrowdPlan["doors"][number] => {
    const index = kind !== "poll" || roams ? turn++ : door + (self?.breaks ?? 0);
    return doors[index % doors.length] as CrowdPlan["doors"][number];
  };
  const name = `${kind} ${at}`;
  const query = queryOf(scopes);
  if (kind === "poll") self = pollOn(name, () => place().base, query, after);
  else if (kind === "grpc") self = callOn(name, () => place().grpcPort, scopes, after);
  else self = streamOn(name, () => place().base, query, kind, after);
  return self;
}

async function run(plan: CrowdPlan): Promise<void> {
  const watchers = plan.watchers.map((each, at) => begin(each, plan, at));
  const { last } = await new Promise<CrowdOrder>((resolve) => parentPort?.once("message", resolve));
  const isDone = ({ told }: Watcher): boolean => (told.at(-1) ?? "") >= last;
  const late = (): string =>
    watchers.flatMap((each) => (isDone(each) ? [] : [`${each.name}: ${each.told.at(-1)}`])).join(", ");
  await until(
    () => watchers.every(isDone),
    patienceMillis,
    () => `all were told ${last}; not ${late()}`,
  );
  // Nothing more is to come, so nothing more may.
  await sleep(300);
  await Promise.all(watchers.map((each) => each.stop()));
  parentPort?.postMessage(watchers.map(({ told, breaks }): Told => ({ lines: told, breaks })));
}

assert.ok(parentPort);
await run(workerData as CrowdPlan);
