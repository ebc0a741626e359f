/** A REST door for tests, over any backend: with all that it must be given and few tests care for. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Backend, createNodeWorld, createRecipes, createRestServer, type RestOptions } from "@quorate/gateway";

export interface RestDoor {
  readonly server: Server;
  /** Once it listens. */
  readonly port: number;
  readonly base: string;
  listen(): Promise<void>;
  stop(): Promise<void>;
}

export function restDoor(
  backend: Backend,
  options: Pick<RestOptions, "log"> & Partial<Omit<RestOptions, "backend" | "recipes" | "world">>,
): RestDoor {
  const world = createNodeWorld();
  const recipes = createRecipes({ backend, world });
  const { server, stop } = createRestServer({
    backend,
    recipes,
    world,
    version: "test",
    readiness: () => ({ ready: true, leader: 1, checks: [] }),
    metrics: () => "",
    ...options,
  });
  return {
    server,
    get port() {
      return (server.address() as AddressInfo).port;
    },
    get base() {
      return `http://127.0.0.1:${this.port}`;
    },
    listen: () => new Promise((resolve) => server.listen(0, "127.0.0.1", resolve)),
    stop: async () => {
      await stop();
      recipes.close();
    },
  };
}

/** As the backend is, but for one of its methods. */
export function backendWith<Name extends keyof Backend>(backend: Backend, name: Name, method: Backend[Name]): Backend {
  return new Proxy(backend, {
    get: (target, key) => {
      if (key === name) return method;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
