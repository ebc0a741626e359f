/** The gRPC door over a backend in this process, and a real client. */
import { Caller } from "../../../test/conformance/grpc-client.ts";
import { MemoryBackend } from "../../../test/conformance/memory-backend.ts";
import type { Backend } from "../backend.ts";
import type { Recipes } from "../recipes/recipes.ts";
import { createNodeWorld } from "../world-node.ts";
import type { GrpcOptions } from "./call.ts";
import { createGrpcServer, type GrpcServer } from "./server.ts";

/** The memory's, but for what the test plays itself. */
export function scripted(memory: MemoryBackend, parts: Partial<Backend>): Backend {
  return {
    write: (request) => memory.write(request),
    read: (request) => memory.read(request),
    renew: (session, secretHash) => memory.renew(session, secretHash),
    handOver: (target) => memory.handOver(target),
    listTree: (request) => memory.listTree(request),
    watch: (request, millis, listener) => memory.watch(request, millis, listener),
    follow: (acting, listener) => memory.follow(acting, listener),
    attach: (acting, identity, millis, listener) => memory.attach(acting, identity, millis, listener),
    cluster: () => memory.cluster(),
    ...parts,
  };
}

/** What the test plays itself, and nothing else. */
export function scriptedRecipes(parts: Partial<Recipes>): Recipes {
  const unplayed = (name: keyof Recipes) => (): never => {
    throw new Error(`the test plays no ${name}`);
  };
  return {
    acquire: unplayed("acquire"),
    release: unplayed("release"),
    lock: unplayed("lock"),
    campaign: unplayed("campaign"),
    proclaim: unplayed("proclaim"),
    resign: unplayed("resign"),
    leader: unplayed("leader"),
    observe: unplayed("observe"),
    write: unplayed("write"),
    guard: unplayed("guard"),
    close: () => undefined,
    ...parts,
  };
}

export interface Fixture extends AsyncDisposable {
  readonly backend: MemoryBackend;
  readonly server: GrpcServer;
  readonly port: number;
  readonly caller: Caller;
  readonly logged: string[];
}

/** `backend`: in place of the memory's, which then plays no part. */
export async function startDoor(
  options: Partial<GrpcOptions> = {},
  memory: MemoryBackend = new MemoryBackend(),
  backend: Backend = memory,
): Promise<Fixture> {
  const logged: string[] = [];
  const server = createGrpcServer({
    backend,
    recipes: scriptedRecipes({}),
    world: createNodeWorld(),
    version: "test",
    ready: () => true,
    wallNow: () => Date.now(),
    log: (line) => logged.push(line),
    ...options,
  });
  const port = await server.listen("127.0.0.1", 0);
  const caller = new Caller(port);
  return {
    backend: memory,
    server,
    port,
    caller,
    logged,
    [Symbol.asyncDispose]: async () => {
      caller.close();
      await server.stop();
      memory.watches.stop();
    },
  };
}
