/** An ensemble with two gateways, the TypeScript clients that know both, and what befalls them: leaders and gateways are killed. */
import assert from "node:assert/strict";
import { GrpcClient, RestClient, type RestClientOptions } from "@quorate/client";
import { Ensemble, freePorts, statusOf, until } from "./ensemble.ts";

const timeoutMillis = 40_000;

export class ClientEnsemble {
  readonly #ensemble: Ensemble;
  readonly #grpcPorts: readonly number[];

  private constructor(ensemble: Ensemble, grpcPorts: readonly number[]) {
    this.#ensemble = ensemble;
    this.#grpcPorts = grpcPorts;
  }

  static async start(): Promise<ClientEnsemble> {
    const grpcPorts = await freePorts(2);
    const ensemble = await Ensemble.start({
      gateways: 2,
      environmentOf: (name) => {
        const gateway = /^gateway (\d)$/.exec(name)?.[1];
        return gateway === undefined ? {} : { QUORATE_GRPC_PORT: String(grpcPorts[Number(gateway) - 1]) };
      },
    });
    return new ClientEnsemble(ensemble, grpcPorts);
  }

  rest(options: Pick<RestClientOptions, "watchBy"> = {}): RestClient {
    return new RestClient({ endpoints: this.#ensemble.gateways.map(({ base }) => base), timeoutMillis, ...options });
  }

  grpc(): GrpcClient {
    return new GrpcClient({ endpoints: this.#grpcPorts.map((port) => `127.0.0.1:${port}`), timeoutMillis });
  }

  /** One after the other, `rounds` times; `goesOn` is settled when all that is under way has gone on. */
  async killAround(rounds: number, goesOn: (what: string) => Promise<void>): Promise<void> {
    const ensemble = this.#ensemble;
    await goesOn("at first");
    for (let round = 0; round < rounds; round++) {
      const leader = ensemble.replica(await ensemble.leader());
      await leader.kill();
      await goesOn("without the leader");
      leader.start();
      await until(async () => (await statusOf(leader)).serving, 30_000, "the killed leader serves again");
      const gateway = ensemble.gateways[round % 2];
      assert.ok(gateway);
      await gateway.kill();
      await goesOn("without a gateway");
      gateway.start();
      await ensemble.ready(gateway);
    }
  }

  stop(): Promise<void> {
    return this.#ensemble.stop();
  }
}
