/**
 * All replicas that the gateway knows: which of them is home, which else may answer a stale read, and what the whole
 * cluster last said of itself.
 */
import { asZxid, type ReplicaId, type Zxid } from "@quorate/api";
import type { MemberStatus } from "@quorate/proto";
import type { ClusterMember, ClusterView } from "./backend.ts";
import { Endpoint, type EndpointEvents } from "./endpoint.ts";
import { linkLimits } from "./limits.ts";
import type { GatewayWorld } from "./ports.ts";
import type { Dial, ReplicaStream } from "./stream.ts";

export interface HomesOptions {
  /** `host:port`. */
  readonly replicas: readonly string[];
  /** `local`: the first of `replicas`, whenever it serves; no other is dialled. */
  readonly home: "leader" | "local";
  readonly dial: Dial;
  readonly world: GatewayWorld;
  readonly log: (text: string) => void;
}

export interface HomesEvents extends Omit<EndpointEvents, "changed" | "failed"> {
  /** The home is another one, or none. */
  moved(home: ReplicaStream | undefined): void;
}

export class Homes {
  readonly #options: HomesOptions;
  readonly #events: HomesEvents;
  readonly #endpointEvents: EndpointEvents;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #startedAt: number;
  #home: ReplicaStream | undefined;
  /** Of the newest leader that was home. */
  #led = { historyId: "", epoch: 0 };
  #stopped = false;

  constructor(options: HomesOptions, events: HomesEvents) {
    this.#options = options;
    this.#events = events;
    this.#startedAt = options.world.now();
    this.#endpointEvents = {
      changed: (endpoint) => this.#changed(endpoint),
      received: (stream, message) => events.received(stream, message),
      lost: (stream, why) => {
        if (stream === this.#home) options.log(`the stream to ${stream.address} broke: ${why}`);
        events.lost(stream, why);
      },
      failed: ({ address }, why) => options.log(`no stream to ${address}: ${why}`),
      drained: () => events.drained(),
      queued: (endpoint) => events.queued(endpoint),
    };
    const addresses = options.home === "local" ? options.replicas.slice(0, 1) : options.replicas;
    for (const address of addresses) this.#add(address, true);
  }

  get home(): ReplicaStream | undefined {
    return this.#home;
  }

  get connected(): number {
    let count = 0;
    for (const endpoint of this.#endpoints.values()) if (endpoint.stream) count += 1;
    return count;
  }

  /** For a stale read: the home, else who serves, else who is there; `avoid` only if there is no other. */
  anywhere(avoid: ReplicaStream | undefined): ReplicaStream | undefined {
    if (this.#home && this.#home !== avoid) return this.#home;
    let best: ReplicaStream | undefined;
    let bestRank = -1;
    for (const { stream, heard } of this.#endpoints.values()) {
      if (!stream || !heard) continue;
      const rank = (heard.self.serving ? 2 : 0) + (stream === avoid ? 0 : 1);
      if (rank > bestRank) [best, bestRank] = [stream, rank];
    }
    return best ?? this.#home;
  }

  /** As the replica at the other end of a live stream last said; empty: unknown. */
  historyOf(stream: ReplicaStream): string {
    for (const endpoint of this.#endpoints.values())
      if (endpoint.stream === stream) return endpoint.heard?.self.historyId ?? "";
    return "";
  }

  start(): void {
    for (const endpoint of [...this.#endpoints.values()]) endpoint.start();
  }

  check(now: number): void {
    for (const endpoint of [...this.#endpoints.values()]) endpoint.check(now);
  }

  stop(): void {
    this.#stopped = true;
    for (const endpoint of [...this.#endpoints.values()]) endpoint.close();
  }

  #add(address: string, configured: boolean): Endpoint {
    const { dial, world } = this.#options;
    const endpoint = new Endpoint(address, configured, dial, world, this.#endpointEvents);
    this.#endpoints.set(address, endpoint);
    return endpoint;
  }

  #changed(endpoint: Endpoint): void {
    if (this.#options.home === "leader" && !this.#stopped && endpoint.stream) {
      if (!this.#dropTwin(endpoint)) this.#learn(endpoint);
    }
    const home = this.#choose();
    if (home === this.#home) return;
    this.#home = home;
    if (home) this.#options.log(`home is replica ${home.replica} at ${home.address}`);
    else this.#options.log("no replica leads");
    this.#events.moved(home);
  }

  /**
   * Where an epoch has had a leader, those of the epochs before are deposed, though they may not know yet: what was answered
   * since is not known to them, so that lanes would seem to have been set back.
   */
  #choose(): ReplicaStream | undefined {
    const local = this.#options.home === "local";
    let best: ReplicaStream | undefined;
    let bestEpoch = -1;
    for (const { stream, heard } of this.#endpoints.values()) {
      if (!stream || !heard?.self.serving) continue;
      const { role, epoch, historyId } = heard.self;
      if (!local && (role !== "leading" || (historyId === this.#led.historyId && epoch < this.#led.epoch))) continue;
      if (epoch <= bestEpoch) continue;
      best = stream;
      bestEpoch = epoch;
      this.#led = { historyId, epoch };
    }
    return best;
  }

  /**
   * A learned address may turn out to be another name of a replica that is connected: one stream is enough. Or it was the
   * replica's former one, where nobody is any more.
   */
  #dropTwin(endpoint: Endpoint): boolean {
    const id = endpoint.heard?.self.id;
    for (const other of this.#endpoints.values()) {
      if (other === endpoint || other.heard?.self.id !== id) continue;
      const twin = endpoint.configured || !other.stream ? other : endpoint;
      if (twin.configured) continue;
      this.#endpoints.delete(twin.address);
      twin.close();
      if (twin === endpoint) return true;
    }
    return false;
  }

  #learn(endpoint: Endpoint): void {
    const { world } = this.#options;
    if (world.now() - this.#startedAt < linkLimits.learnAfterMillis) return;
    for (const { id, address } of endpoint.heard?.others ?? []) {
      if (address === "" || this.#endpoints.has(address)) continue;
      if (this.#endpoints.size >= this.#options.replicas.length + linkLimits.learnedReplicas) return;
      if (this.#isPresent(id)) continue;
      this.#options.log(`replica ${id} is at ${address}`);
      this.#add(address, false).start();
    }
  }

  /** It is connected, or was until lately: whoever starts again comes back where he was. */
  #isPresent(id: ReplicaId): boolean {
    const since = this.#options.world.now() - linkLimits.movedAfterMillis;
    for (const { stream, heard } of this.#endpoints.values()) {
      if (heard?.self.id === id && (stream || heard.at > since)) return true;
    }
    return false;
  }

  /** `newest`: what the gateway has heard of in answers. */
  view(newest: Zxid): ClusterView {
    const now = this.#options.world.now();
    const heard = new Map<number, MemberStatus>();
    const offer = (status: MemberStatus, heardAt: number): void => {
      const agoMillis = Math.round(status.agoMillis + (now - heardAt));
      const known = heard.get(status.id);
      if (!known || agoMillis < known.agoMillis) heard.set(status.id, { ...status, agoMillis });
    };
    const silent: string[] = [];
    /** What the members that were spoken with are called here. */
    const names = new Map<number, string>();
    for (const endpoint of this.#endpoints.values()) {
      if (!endpoint.heard) {
        if (endpoint.configured) silent.push(endpoint.address);
        continue;
      }
      const { self, others, at } = endpoint.heard;
      names.set(self.id, endpoint.address);
      offer(self, at);
      for (const other of others) offer(other, at);
    }
    const members = [...heard.values()].sort((a, b) => a.id - b.id).map(memberOf);
    for (const { id, reachable, address } of members) if (!reachable) silent.push(names.get(id) ?? address);
    const committed = asZxid(Math.max(newest, ...members.map((each) => each.committed)));
    return { leader: this.#leader(), members, silent: [...new Set(silent)], newest: committed };
  }

  #leader(): number {
    if (!this.#home) return 0;
    if (this.#options.home === "leader") return this.#home.replica;
    for (const { stream, heard } of this.#endpoints.values())
      if (stream === this.#home && heard) return heard.self.leader;
    return 0;
  }
}

function memberOf(status: MemberStatus): ClusterMember {
  if (status.agoMillis < linkLimits.silenceMillis) return { ...status, reachable: true };
  const reason = `nothing has been heard of it for ${Math.round(status.agoMillis / 1000)} s`;
  return { ...status, reachable: false, role: "unknown", serving: false, leader: 0, reason };
}
