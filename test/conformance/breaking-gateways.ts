/**
 * Two gateways before the TypeScript client, whose connections break and freeze: doors of one tree in this process, each behind a
 * proxy.
 */
import { GrpcClient, RestClient } from "@quorate/client";
import { TestProxy } from "../integration/test-proxy.ts";
import { type Doors, startDoors } from "./client-doors.ts";
import { MemoryBackend } from "./memory-backend.ts";

export const backend = new MemoryBackend();
export const gateways: Doors[] = [];
export const proxies = { rest: [] as TestProxy[], grpc: [] as TestProxy[] };

export async function startGateways(): Promise<void> {
  for (let gateway = 0; gateway < 2; gateway++) {
    const doors = await startDoors(backend);
    gateways.push(doors);
    proxies.rest.push(await TestProxy.start(doors.restPort));
    proxies.grpc.push(await TestProxy.start(doors.grpcPort));
  }
}

export async function stopGateways(): Promise<void> {
  await Promise.all([...proxies.rest, ...proxies.grpc].map((each) => each.stop()));
  await Promise.all(gateways.map((each) => each.stop()));
}

export const ways = {
  rest: () =>
    new RestClient({ endpoints: proxies.rest.map(({ port }) => `http://127.0.0.1:${port}`), timeoutMillis: 30_000 }),
  grpc: () => new GrpcClient({ endpoints: proxies.grpc.map(({ port }) => `127.0.0.1:${port}`), timeoutMillis: 30_000 }),
} as const;

export function sleep(millis: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** Breaks one or both, or freezes one for a while, until `done`; answers how often. */
export async function disturb(both: readonly TestProxy[], done: () => boolean): Promise<number> {
  for (let turn = 0; ; turn++) {
    await sleep(60 + 20 * (turn % 4));
    if (done()) return turn;
    const proxy = both[turn % 2] as TestProxy;
    if (turn % 5 === 4) {
      proxy.freeze(turn % 2 === 0 ? "back" : "both");
      await sleep(300);
      proxy.break();
      proxy.heal();
    } else if (turn % 5 === 3) for (const each of both) each.break();
    else proxy.break();
  }
}
