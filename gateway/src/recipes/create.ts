/** Locks and elections over a backend: the parts that know of each other, put together. */
import type { Backend } from "../backend.ts";
import type { GatewayWorld } from "../ports.ts";
import { withAge } from "./age.ts";
import { Contesting } from "./contest.ts";
import { Fences } from "./fence.ts";
import { readHolders } from "./fence-holders.ts";
import { electionWish, wishOf } from "./mark.ts";
import { RecipeMemory } from "./memory.ts";
import { LeaderViews } from "./observe.ts";
import { Places } from "./place.ts";
import { proclaim } from "./proclaim.ts";
import { QueueViews } from "./queue-views.ts";
import type { Recipes } from "./recipes.ts";
import { leave } from "./release.ts";
import { readLeader, readLock } from "./states.ts";
import { Waits } from "./waits.ts";

export interface RecipesOptions {
  readonly backend: Backend;
  readonly world: GatewayWorld;
  readonly log?: (text: string) => void;
}

/** What it has open, for measures. */
export interface RecipesStatus {
  readonly waiting: number;
  readonly queues: number;
  readonly tokens: number;
}

export function createRecipes(options: RecipesOptions): Recipes & { readonly status: RecipesStatus } {
  const { backend, world, log = () => {} } = options;
  const memory = new RecipeMemory();
  const views = new QueueViews({ backend, world });
  const waits = new Waits(world);
  const base = { backend, world, memory, seen: views.find.bind(views) };
  const places = new Places(base);
  const ports = { ...base, places, views, waits, log };
  const leaders = new LeaderViews({ backend, views });
  const { tokens } = memory;
  const now = (): number => world.now();
  const fences = new Fences({
    backend,
    tokens,
    now,
    holders: (path, identity, deadline) => readHolders(backend, path, identity, deadline),
  });
  return {
    acquire: (contest, deadline) => new Contesting(ports, contest, wishOf(contest.shape), deadline),
    campaign: (contest, deadline) => new Contesting(ports, contest, electionWish(contest.layout), deadline),
    release: (request, deadline) => leave(ports, { ...request, recipe: "lock", deadline: now() + deadline }),
    resign: (request, deadline) => leave(ports, { ...request, recipe: "election", deadline: now() + deadline }),
    proclaim: (request, deadline) => proclaim(ports, { ...request, deadline: now() + deadline }),
    lock: (read, waiters, deadline) => withAge(backend, (reader) => readLock(reader, read, waiters, deadline)),
    leader: (read, deadline) => withAge(backend, (reader) => readLeader(reader, read, deadline)),
    observe: (read, deadline, listener) => leaders.observe(read, deadline, listener),
    write: (request, shown, deadline) => fences.write(request, shown, deadline),
    guard: (operation, shown, identity, deadline) => fences.guard(operation, shown, identity, deadline),
    close: () => views.stop(),
    get status() {
      return { waiting: waits.size, queues: views.size, tokens: tokens.size };
    },
  };
}
